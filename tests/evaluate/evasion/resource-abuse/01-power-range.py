limit = 10 ** 12
total = sum(value for value in range(limit))
print(total)
