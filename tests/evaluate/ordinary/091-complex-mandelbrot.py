def escape(c, limit=30):
    z = 0
    for step in range(limit):
        z = z * z + c
        if abs(z) > 2:
            return step
    return limit


for row in range(-10, 11, 2):
    print("".join(" .:-=+*#%@"[escape(complex(column / 20 - 0.5, row / 10)) // 4 % 10] for column in range(-30, 31)))
