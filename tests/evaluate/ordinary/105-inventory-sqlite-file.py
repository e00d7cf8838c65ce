import sqlite3
from contextlib import closing

SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, count INTEGER NOT NULL CHECK (count >= 0));
CREATE INDEX IF NOT EXISTS by_count ON stock (count);
"""
with closing(sqlite3.connect("stock.db")) as db:
    db.executescript(SCHEMA)
    with db:
        for sku, count in {"a-1": 4, "b-2": 0}.items():
            db.execute("INSERT INTO stock VALUES (:sku, :count) ON CONFLICT (sku) DO UPDATE SET count = count + :count",
                       {"sku": sku, "count": count})
    print(db.execute("SELECT sku FROM stock WHERE count = 0").fetchone()[0])
