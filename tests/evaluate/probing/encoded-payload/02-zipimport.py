import sys
import base64

open("m.zip", "wb").write(base64.b64decode(open("m.txt").read()))
sys.path.insert(0, "m.zip")
__import__("m")
