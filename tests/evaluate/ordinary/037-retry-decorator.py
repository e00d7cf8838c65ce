import functools
import time


def retry(times, delay=0.0):
    def wrap(function):
        @functools.wraps(function)
        def inner(*args, **kwargs):
            for attempt in range(1, times + 1):
                try:
                    return function(*args, **kwargs)
                except ValueError as error:
                    print(f"attempt {attempt}: {error}")
                    time.sleep(delay)
            raise RuntimeError("gave up")

        return inner

    return wrap


state = {"calls": 0}


@retry(3)
def flaky():
    state["calls"] += 1
    if state["calls"] < 3:
        raise ValueError("not yet")
    return "done"


print(flaky(), flaky.__name__)
