import sqlite3

cursor = sqlite3.connect("shop.db").cursor()


def remove(table, key):
    cursor.execute("DELETE FROM %s WHERE id = %s" % (table, key))


remove("orders", "1 OR 1=1")
