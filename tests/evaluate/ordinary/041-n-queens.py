import sys

sys.setrecursionlimit(5000)


def queens(size, row=0, columns=frozenset(), left=frozenset(), right=frozenset()):
    if row == size:
        return 1
    total = 0
    for column in range(size):
        if column in columns or row + column in left or row - column in right:
            continue
        total += queens(size, row + 1, columns | {column}, left | {row + column}, right | {row - column})
    return total


print([queens(n) for n in range(1, 8)])
