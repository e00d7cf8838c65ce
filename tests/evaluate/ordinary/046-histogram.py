import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

samples = np.random.default_rng(3).exponential(2.0, 1000)
counts, edges = np.histogram(samples, bins=10)
fig, axes = plt.subplots(1, 2, figsize=(8, 3))
axes[0].hist(samples, bins=20)
axes[1].boxplot(samples)
fig.savefig("distribution.pdf")
for count, edge in zip(counts, edges):
    print(f"{edge:6.2f} {count}")
