import base64

message = "Grüße, world"
encoded = base64.b64encode(message.encode("utf-8")).decode("ascii")
print(encoded)
print(base64.b64decode(encoded).decode("utf-8") == message)
print(base64.urlsafe_b64encode(bytes(range(8))))
