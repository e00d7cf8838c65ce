import io
import sys

sys.stdin = io.StringIO("3\n4\nquit\n")
total = 0
while True:
    line = input()
    if line == "quit":
        break
    total += int(line)
print("total", total)
