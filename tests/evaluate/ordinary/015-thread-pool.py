from concurrent.futures import ThreadPoolExecutor, as_completed
import math


def is_prime(n):
    return n > 1 and all(n % d for d in range(2, math.isqrt(n) + 1))


with ThreadPoolExecutor(max_workers=4) as pool:
    futures = {pool.submit(is_prime, n): n for n in range(90, 110)}
    primes = sorted(futures[done] for done in as_completed(futures) if done.result())
print(primes)
