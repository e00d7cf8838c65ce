from Crypto.Cipher import AES, DES

box = AES.new(b"sixteen byte key", AES.MODE_ECB)
old = DES.new(b"8bytekey", DES.MODE_CBC)
print(box.encrypt(b"a" * 16))
