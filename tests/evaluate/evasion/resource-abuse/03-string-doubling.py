text = "x" * (1 << 36)
block = bytearray(64 * 1024 ** 3)
print(len(text) + len(block))
