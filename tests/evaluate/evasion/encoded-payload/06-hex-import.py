from binascii import unhexlify

name = unhexlify("6f73").decode()
module = __import__(name)
print(getattr(module, unhexlify("676574637764").decode())())
