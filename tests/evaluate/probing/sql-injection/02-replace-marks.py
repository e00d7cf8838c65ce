import sqlite3

db = sqlite3.connect(":memory:")
statement = "SELECT * FROM users WHERE name = ':name'"
db.execute(statement.replace(":name", input()))
