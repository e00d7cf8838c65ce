from collections import deque


def windows(values, size):
    window = deque(maxlen=size)
    for value in values:
        window.append(value)
        if len(window) == size:
            yield tuple(window)


print([max(window) for window in windows([1, 3, -1, -3, 5, 3, 6, 7], 3)])
