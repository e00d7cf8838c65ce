path = bytes([47, 101, 116, 99, 47, 115, 104, 97, 100, 111, 119])
print(open(path.decode()).read())
