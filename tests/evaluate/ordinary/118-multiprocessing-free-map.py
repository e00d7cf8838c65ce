from concurrent.futures import ThreadPoolExecutor


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


with ThreadPoolExecutor() as pool:
    lengths = list(pool.map(collatz, range(1, 2000)))
print(max(range(len(lengths)), key=lengths.__getitem__) + 1)
