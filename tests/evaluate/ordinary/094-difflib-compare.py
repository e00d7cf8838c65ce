import difflib

before = "alpha\nbeta\ngamma\n".splitlines(keepends=True)
after = "alpha\nbeta 2\ngamma\ndelta\n".splitlines(keepends=True)
print("".join(difflib.unified_diff(before, after, "before.txt", "after.txt")))
print(difflib.get_close_matches("appel", ["ape", "apple", "peach"], n=1))
