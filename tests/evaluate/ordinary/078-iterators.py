import itertools as it
import operator

print(list(it.accumulate([1, 2, 3, 4], operator.mul)))
print(["".join(p) for p in it.permutations("abc", 2)])
print(list(it.islice(it.count(10, 5), 4)))
print([sum(chunk) for chunk in it.batched(range(10), 3)] if hasattr(it, "batched") else "older")
print(dict(it.zip_longest("abc", range(2), fillvalue=-1)))
