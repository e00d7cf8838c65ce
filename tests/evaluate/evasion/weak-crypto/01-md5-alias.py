from hashlib import md5 as digest

password = "correct horse"
print(digest(password.encode()).hexdigest())
