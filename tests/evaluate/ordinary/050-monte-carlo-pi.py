import random

random.seed(2024)
inside = 0
total = 200_000
for _ in range(total):
    x, y = random.random(), random.random()
    inside += x * x + y * y <= 1.0
print(round(4 * inside / total, 2))
