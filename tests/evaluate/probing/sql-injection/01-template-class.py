import sqlite3
from string import Template

db = sqlite3.connect(":memory:")
query = Template("SELECT * FROM users WHERE name = '$name'")
db.execute(query.substitute(name=input()))
