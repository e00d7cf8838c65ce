from pickle import loads as restore
import base64

stored = base64.b64decode("gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg==")
print(restore(stored))
