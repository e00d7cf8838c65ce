import hashlib

algorithm = "sha" + "1"
print(hashlib.new(algorithm, b"password").hexdigest())
