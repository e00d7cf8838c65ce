import json
import os

BOOK = "contacts.json"


def load():
    if not os.path.exists(BOOK):
        return []
    with open(BOOK) as handle:
        return json.load(handle)


def add(name, phone):
    book = load()
    book.append({"name": name, "phone": phone})
    with open(BOOK, "w") as handle:
        json.dump(book, handle, indent=2)


add("Ola", "555-0100")
add("Kari", "555-0101")
print([entry["name"] for entry in load()])
os.remove(BOOK)
