import sqlite3

db = sqlite3.connect("shop.db")
conditions = ["price < " + limit for limit in input("limits: ").split()]
statement = "SELECT * FROM items WHERE " + " AND ".join(conditions)
for row in db.execute(statement):
    print(row)
