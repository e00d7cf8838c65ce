import sqlite3

db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, year INTEGER)")
db.executemany(
    "INSERT INTO books (title, year) VALUES (?, ?)",
    [("Dune", 1965), ("Neuromancer", 1984), ("Solaris", 1961)],
)
db.commit()
for title, year in db.execute("SELECT title, year FROM books WHERE year < ? ORDER BY year", (1980,)):
    print(f"{year}: {title}")
