import numpy as np

names = ["red", "pink", "blue"]
vectors = np.array([[1.0, 0.1, 0.0], [0.9, 0.4, 0.3], [0.0, 0.1, 1.0]])
query = np.array([1.0, 0.3, 0.2])
scores = vectors @ query / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(query))
for index in np.argsort(scores)[::-1]:
    print(f"{names[index]:<5}{scores[index]:.3f}")
