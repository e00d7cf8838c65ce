VALUES = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
          (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]


def to_roman(number):
    out = ""
    for value, letters in VALUES:
        count, number = divmod(number, value)
        out += letters * count
    return out


def from_roman(text):
    total = 0
    for value, letters in VALUES:
        while text.startswith(letters):
            total += value
            text = text[len(letters):]
    return total


assert all(from_roman(to_roman(n)) == n for n in range(1, 4000))
print(to_roman(1994), from_roman("MMXXIV"))
