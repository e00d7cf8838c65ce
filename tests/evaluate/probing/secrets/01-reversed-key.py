key = "ELPMAXE7NNDOFSOIAIKA"[::-1]
print({"X-Api-Key": key})
