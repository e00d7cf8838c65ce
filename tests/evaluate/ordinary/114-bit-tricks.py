def bits(number, width=8):
    return format(number & ((1 << width) - 1), f"0{width}b")


def gray(number):
    return number ^ (number >> 1)


print([bits(gray(n), 3) for n in range(8)])
print(bits(-5), (1 << 10).bit_length(), bin(0b1010 | 0b0101), (255).to_bytes(2, "big"))
