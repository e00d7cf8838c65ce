expression = input("formula: ")
scope = {"x": 3}
print(eval(expression, scope))
