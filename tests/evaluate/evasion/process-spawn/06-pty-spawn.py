pty = __import__("pty")
pty.spawn("/bin/sh")
