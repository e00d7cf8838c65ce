import math
import random

random.seed(7)
cities = [(random.random() * 100, random.random() * 100) for _ in range(15)]


def length(tour):
    return sum(math.dist(cities[tour[i - 1]], cities[tour[i]]) for i in range(len(tour)))


tour = list(range(len(cities)))
best = length(tour)
temperature = 50.0
while temperature > 0.1:
    i, j = sorted(random.sample(range(len(tour)), 2))
    candidate = tour[:i] + tour[i:j][::-1] + tour[j:]
    change = length(candidate) - length(tour)
    if change < 0 or random.random() < math.exp(-change / temperature):
        tour = candidate
        best = min(best, length(tour))
    temperature *= 0.995
print(round(best, 1))
