import sqlite3

import pandas as pd

db = sqlite3.connect(":memory:")
pd.DataFrame({"x": [1, 2, 3]}).to_sql("numbers", db, index=False)
pd.DataFrame({"x": [9]}).to_sql("others", db, index=False)
for table in ("numbers", "others"):
    count = pd.read_sql_query(f"SELECT COUNT(*) AS n FROM {table}", db)["n"].item()
    print(table, count)
