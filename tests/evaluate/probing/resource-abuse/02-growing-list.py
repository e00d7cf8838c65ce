items = [0]
for item in items:
    items.append(item + 1)
