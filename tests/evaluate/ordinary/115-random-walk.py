import random
from statistics import mean

rng = random.Random(99)


def walk(steps):
    x = y = 0
    for _ in range(steps):
        dx, dy = rng.choice([(0, 1), (0, -1), (1, 0), (-1, 0)])
        x, y = x + dx, y + dy
    return abs(x) + abs(y)


print(round(mean(walk(100) for _ in range(200))))
