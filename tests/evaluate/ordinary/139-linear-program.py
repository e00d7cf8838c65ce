import itertools

import numpy as np

limits = np.array([[2, 1], [1, 3], [-1, 0], [0, -1]], dtype=float)
bounds = np.array([18, 24, 0, 0], dtype=float)
best = None
for pair in itertools.combinations(range(4), 2):
    a, b = limits[list(pair)], bounds[list(pair)]
    if abs(np.linalg.det(a)) < 1e-9:
        continue
    point = np.linalg.solve(a, b)
    if np.all(limits @ point <= bounds + 1e-9):
        value = point @ [3, 4]
        if best is None or value > best[0]:
            best = (value, point)
print(round(best[0], 2), best[1].round(2))
