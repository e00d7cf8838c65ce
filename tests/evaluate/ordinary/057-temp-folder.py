import shutil
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "a.txt").write_text("alpha\n")
    shutil.copy(folder / "a.txt", folder / "b.txt")
    print(sorted(path.name for path in folder.iterdir()))
print(Path(name).exists())
