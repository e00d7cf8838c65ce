import gc

tables = [thing for thing in gc.get_objects() if isinstance(thing, dict) and "secret" in thing]
print(len(tables))
