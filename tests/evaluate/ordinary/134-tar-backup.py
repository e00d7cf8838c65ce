import io
import tarfile

with tarfile.open("backup.tar.gz", "w:gz") as archive:
    for name, text in (("a.txt", "alpha"), ("b/c.txt", "gamma")):
        data = text.encode()
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
with tarfile.open("backup.tar.gz") as archive:
    print(archive.getnames(), archive.extractfile("b/c.txt").read().decode())
