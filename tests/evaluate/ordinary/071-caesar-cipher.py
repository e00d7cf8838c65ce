def shift(text, amount):
    out = []
    for letter in text:
        if letter.isalpha():
            base = ord("A") if letter.isupper() else ord("a")
            out.append(chr((ord(letter) - base + amount) % 26 + base))
        else:
            out.append(letter)
    return "".join(out)


secret = shift("Attack at dawn!", 3)
print(secret, "|", shift(secret, -3))
