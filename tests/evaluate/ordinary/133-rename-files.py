import re
from pathlib import Path

for name in ("IMG 001.JPG", "img-2.jpg", "notes.TXT"):
    Path(name).touch()
for path in sorted(Path(".").iterdir()):
    clean = re.sub(r"[^a-z0-9.]+", "_", path.name.lower())
    if clean != path.name and path.suffix.lower() in (".jpg", ".txt"):
        path.rename(path.with_name(clean))
print(sorted(p.name for p in Path(".").glob("*.jpg")))
