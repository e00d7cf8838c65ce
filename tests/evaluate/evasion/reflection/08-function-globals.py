import json

globals_of = json.dumps.__globals__
print(globals_of["__builtins__"]["__import__"]("os").getcwd())
