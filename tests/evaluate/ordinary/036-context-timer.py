import time
from contextlib import contextmanager


@contextmanager
def timed(label):
    started = time.perf_counter()
    try:
        yield
    finally:
        elapsed = time.perf_counter() - started
        print(f"{label}: {'fast' if elapsed < 5 else 'slow'}")


with timed("sum"):
    total = sum(n * n for n in range(100_000))
print(total)
