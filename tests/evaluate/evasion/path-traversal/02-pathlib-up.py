from pathlib import Path

target = Path("data") / ".." / ".." / "etc" / "hostname"
print(target.read_text())
