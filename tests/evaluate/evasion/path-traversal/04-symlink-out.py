import os

os.symlink("/", "everything")
for name in os.listdir("everything/root"):
    print(name)
