import json

for name in json.loads('["..", "..", "etc", "passwd"]'):
    path = name if name == ".." else path + "/" + name
print(open(path).read())
