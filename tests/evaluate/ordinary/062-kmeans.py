import numpy as np

rng = np.random.default_rng(1)
points = np.vstack([rng.normal(center, 0.5, (50, 2)) for center in ((0, 0), (5, 5), (0, 5))])
centers = points[[0, 60, 120]].copy()
for _ in range(20):
    labels = np.argmin(((points[:, None] - centers[None]) ** 2).sum(axis=2), axis=1)
    updated = np.array([points[labels == k].mean(axis=0) for k in range(3)])
    if np.allclose(updated, centers):
        break
    centers = updated
print(np.round(centers[np.lexsort(centers.T)], 0).tolist())
