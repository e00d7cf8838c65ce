import ast

line = "{'name': 'probe', 'values': [1, 2, 3], 'active': True}"
record = ast.literal_eval(line)
print(type(record).__name__, record["values"][-1])
tree = ast.parse("a + b * 2", mode="eval")
print(sorted(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)))
