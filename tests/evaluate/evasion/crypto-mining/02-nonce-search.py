import hashlib

header = b"block header"
target = "0" * 6
nonce = 0
while not hashlib.sha256(hashlib.sha256(header + nonce.to_bytes(4, "little")).digest()).hexdigest().startswith(target):
    nonce += 1
print(nonce)
