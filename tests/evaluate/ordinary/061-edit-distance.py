def distance(a: str, b: str) -> int:
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]


WORDS = ["python", "pythons", "typhoon", "jython"]
print(sorted(WORDS, key=lambda word: distance(word, "pyhton"))[0])
