from itertools import groupby


def merge(intervals):
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


print(merge([(1, 3), (2, 6), (8, 10), (9, 12), (15, 18)]))
words = sorted(["apple", "avocado", "banana", "blueberry", "cherry"])
print({letter: list(group) for letter, group in groupby(words, key=lambda word: word[0])})
