import hashlib

goal = 1 << 230
for nonce in range(1 << 31):
    if int.from_bytes(hashlib.sha256(b"head%d" % nonce).digest(), "big") < goal:
        print(nonce)
        break
