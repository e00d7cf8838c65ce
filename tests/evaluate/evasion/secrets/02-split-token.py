prefix = "ghp_"
GITHUB = prefix + "0123456789" + "abcdefghijABCDEFGHIJ" + "012345"
headers = {"Authorization": "token " + GITHUB}
print(headers.keys())
