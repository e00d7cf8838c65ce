import types

code = compile("print('assembled')", "<generated>", "exec")
function = types.FunctionType(code, {"__builtins__": __builtins__})
function()
