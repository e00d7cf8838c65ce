import importlib.metadata as facts

print(sorted(d.metadata["Name"] for d in facts.distributions()))
