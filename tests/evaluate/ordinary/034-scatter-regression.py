import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 10, 50)
y = 2.5 * x + 1 + rng.normal(0, 1, 50)
slope, intercept = np.polyfit(x, y, 1)
residuals = y - (slope * x + intercept)
r2 = 1 - residuals.var() / y.var()
plt.scatter(x, y, s=12)
plt.plot([0, 10], [intercept, intercept + 10 * slope], "r-")
plt.savefig("fit.png")
print(f"slope={slope:.2f} intercept={intercept:.2f} r2={r2:.3f}")
