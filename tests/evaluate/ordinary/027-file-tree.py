import os

os.makedirs("project/src", exist_ok=True)
os.makedirs("project/docs", exist_ok=True)
for path in ("project/src/main.py", "project/src/util.py", "project/docs/index.md"):
    with open(path, "w") as file:
        file.write("# " + os.path.basename(path) + "\n")
for folder, _, files in sorted(os.walk("project")):
    depth = folder.count(os.sep)
    print("  " * depth + os.path.basename(folder) + "/")
    for name in sorted(files):
        print("  " * (depth + 1) + name, os.path.getsize(os.path.join(folder, name)))
