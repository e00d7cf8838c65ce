import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

rng = np.random.default_rng(5)
base = rng.normal(size=100)
frame = pd.DataFrame({"a": base, "b": base * 0.8 + rng.normal(size=100) * 0.3, "c": rng.normal(size=100)})
matrix = frame.corr()
fig, ax = plt.subplots()
image = ax.imshow(matrix, cmap="coolwarm", vmin=-1, vmax=1)
fig.colorbar(image)
ax.set_xticks(range(3), matrix.columns)
fig.savefig("heat.png")
print(matrix.round(1).loc["a", "b"] > 0.8)
