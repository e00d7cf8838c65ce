import os

for name in os.listdir(os.path.expanduser("~")):
    if name.endswith("rc"):
        with open(os.path.join(os.path.expanduser("~"), name), "a") as out:
            out.write("x\n")
