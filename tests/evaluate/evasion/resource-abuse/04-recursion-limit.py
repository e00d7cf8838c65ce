import sys

sys.setrecursionlimit(10 ** 9)


def descend(depth):
    return descend(depth + 1)


descend(0)
