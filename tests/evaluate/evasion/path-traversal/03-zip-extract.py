import tarfile as archive

with archive.open("upload.tar.gz") as bundle:
    bundle.extractall("out")
