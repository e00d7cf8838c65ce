import marshal
import types

blob = open("module.bin", "rb").read()
body = marshal.loads(blob)
types.FunctionType(body, globals(), "restored")()
