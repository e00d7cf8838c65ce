from pathlib import Path

top = Path.cwd()
while top != top.parent:
    top = top.parent
print([entry.name for entry in top.iterdir()])
