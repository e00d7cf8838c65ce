from bisect import bisect, insort

BREAKS, LETTERS = [60, 70, 80, 90], "FDCBA"
print([LETTERS[bisect(BREAKS, score)] for score in (33, 99, 77, 70, 89, 90, 100)])
ordered = []
for number in (5, 1, 4, 2):
    insort(ordered, number)
print(ordered)
