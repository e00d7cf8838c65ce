def encrypt(text, key):
    return bytes(letter ^ key for letter in text.encode())


print(encrypt("password", 42))
