key = 23
data = b"geB~cd?&>"
text = bytes(byte ^ key for byte in data).decode("latin-1")
run = __builtins__.exec if hasattr(__builtins__, "exec") else __builtins__["exec"]
run(text)
