import math

FORMULAS = {"area": "pi * r ** 2", "perimeter": "2 * pi * r"}
for name, formula in FORMULAS.items():
    value = eval(formula, {"__builtins__": {}}, {"pi": math.pi, "r": 2})
    print(name, round(value, 3))
