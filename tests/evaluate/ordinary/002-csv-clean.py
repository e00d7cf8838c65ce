import csv
import io

raw = """name, age ,city
 Ada,36,London
Grace, 45 ,New York
,12,
"""
reader = csv.DictReader(io.StringIO(raw), skipinitialspace=True)
rows = []
for row in reader:
    clean = {key.strip(): (value or "").strip() for key, value in row.items()}
    if clean["name"]:
        clean["age"] = int(clean["age"])
        rows.append(clean)
with open("people.csv", "w", newline="") as handle:
    writer = csv.DictWriter(handle, fieldnames=["name", "age", "city"])
    writer.writeheader()
    writer.writerows(rows)
print(open("people.csv").read())
