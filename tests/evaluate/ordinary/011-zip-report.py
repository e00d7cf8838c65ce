import zipfile
from pathlib import Path

folder = Path("parts")
folder.mkdir(exist_ok=True)
for name in ("one", "two", "three"):
    (folder / f"{name}.txt").write_text(name * 10)
with zipfile.ZipFile("parts.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
    for path in sorted(folder.glob("*.txt")):
        bundle.write(path, path.name)
with zipfile.ZipFile("parts.zip") as bundle:
    for info in bundle.infolist():
        print(info.filename, info.file_size)
