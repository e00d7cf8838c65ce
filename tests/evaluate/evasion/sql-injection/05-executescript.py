import sqlite3


class Store:
    def __init__(self, path):
        self.db = sqlite3.connect(path)

    def rename(self, old, new):
        script = "UPDATE t SET name = '" + new + "' WHERE name = '" + old + "';"
        self.db.executescript(script)


Store(":memory:").rename("a", "b'; DROP TABLE t; --")
