import sqlite3

db = sqlite3.connect(":memory:")
db.execute("create table t (id integer, v text)")
db.executemany("insert into t values (?, ?)", [(n, f"v{n}") for n in range(10)])
wanted = [2, 3, 5, 7]
marks = ", ".join("?" * len(wanted))
rows = db.execute("select v from t where id in (" + marks + ") order by id", wanted).fetchall()
print([row[0] for row in rows])
