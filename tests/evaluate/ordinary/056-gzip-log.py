import gzip

with gzip.open("log.gz", "wt", encoding="utf-8") as out:
    for line in range(1000):
        out.write(f"{line:04d} level={'ERROR' if line % 100 == 0 else 'INFO'}\n")
with gzip.open("log.gz", "rt", encoding="utf-8") as source:
    errors = [line.split()[0] for line in source if "ERROR" in line]
print(len(errors), errors[:3])
