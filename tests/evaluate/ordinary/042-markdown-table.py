rows = [("name", "score"), ("ada", 92), ("linus", 87), ("margaret", 99)]
widths = [max(len(str(row[i])) for row in rows) for i in range(2)]


def line(cells):
    return "| " + " | ".join(str(cell).ljust(width) for cell, width in zip(cells, widths)) + " |"


out = [line(rows[0]), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
out += [line(row) for row in rows[1:]]
with open("table.md", "w", encoding="utf-8") as file:
    file.write("\n".join(out) + "\n")
print("\n".join(out))
