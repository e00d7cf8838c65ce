import inspect


def area(width: float, height: float = 1.0, *, unit: str = "m") -> str:
    """Area as text."""
    return f"{width * height}{unit}2"


signature = inspect.signature(area)
for name, parameter in signature.parameters.items():
    print(name, parameter.kind.name, parameter.default)
print(inspect.getdoc(area), area(2, 3))
