import socket as s

link = s.socket(s.AF_INET, s.SOCK_STREAM)
link.settimeout(2)
link.connect(("192.0.2.10", 4444))
link.sendall(b"hello")
