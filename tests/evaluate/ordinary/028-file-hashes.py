import hashlib
from pathlib import Path

Path("a.txt").write_text("same")
Path("b.txt").write_text("same")
Path("c.txt").write_text("different")
seen = {}
for path in sorted(Path(".").glob("*.txt")):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    seen.setdefault(digest, []).append(path.name)
print([names for names in seen.values() if len(names) > 1])
