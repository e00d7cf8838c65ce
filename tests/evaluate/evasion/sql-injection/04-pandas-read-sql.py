import sqlite3

import pandas as pd

city = input("city: ")
frame = pd.read_sql("SELECT * FROM sales WHERE city = '{}'".format(city), sqlite3.connect("s.db"))
print(frame)
