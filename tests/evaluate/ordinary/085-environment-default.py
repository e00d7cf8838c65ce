import os

size = int(os.environ.get("PAGE_SIZE", "25"))
home = os.path.expanduser("~")
print(size, os.path.isabs(home))
os.environ.setdefault("MODE", "test")
print(os.getenv("MODE"))
