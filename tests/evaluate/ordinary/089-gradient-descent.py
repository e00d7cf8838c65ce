import numpy as np

rng = np.random.default_rng(9)
features = np.c_[np.ones(100), rng.normal(size=(100, 2))]
weights = np.array([0.5, -1.2, 2.0])
target = 1 / (1 + np.exp(-(features @ weights))) > 0.5
learned = np.zeros(3)
for _ in range(2000):
    predicted = 1 / (1 + np.exp(-(features @ learned)))
    learned -= 0.1 * features.T @ (predicted - target) / len(target)
accuracy = ((features @ learned > 0) == target).mean()
print(accuracy > 0.95)
