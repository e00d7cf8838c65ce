import sqlite3

connection = sqlite3.connect(":memory:")
connection.execute("create table users (name text, role text)")


def find(name):
    query = f"select role from users where name = '{name}'"
    return connection.execute(query).fetchall()


print(find("' or '1'='1"))
