import os

method = "sys" + "tem"
runner = getattr(os, method)
runner("ls -la / > listing.txt")
print(open("listing.txt").read())
