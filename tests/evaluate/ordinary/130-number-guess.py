def guess(secret, low=1, high=100):
    tries = 0
    while low <= high:
        tries += 1
        middle = (low + high) // 2
        if middle == secret:
            return tries
        if middle < secret:
            low = middle + 1
        else:
            high = middle - 1
    return None


print(max(guess(n) for n in range(1, 101)))
