from pathlib import Path

TEMPLATE = "Dear {name},\n\nyour order of {count} item{plural} ships {day}.\n"
people = [("Ida", 1, "today"), ("Per", 3, "tomorrow")]
out = Path("letters")
out.mkdir(exist_ok=True)
for name, count, day in people:
    letter = TEMPLATE.format(name=name, count=count, plural="" if count == 1 else "s", day=day)
    (out / (name.lower() + ".txt")).write_text(letter)
print(sorted(p.stat().st_size for p in out.iterdir()))
