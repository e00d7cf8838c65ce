import sys

with open("helper_made.py", "w") as out:
    out.write("print('made')\n")
sys.path.insert(0, ".")
import helper_made
