import shelve as store

with store.open("settings") as book:
    for key in book:
        print(key, book[key])
