login = ("admin", b"Sup3rS3cret!")
print(login[0])
