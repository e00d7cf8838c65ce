def describe(value):
    match value:
        case {"type": "point", "x": x, "y": y}:
            return f"point at {x},{y}"
        case [first, *rest]:
            return f"list starting {first}, {len(rest)} more"
        case str() as text if text.isdigit():
            return f"digits {int(text)}"
        case None:
            return "nothing"
        case _:
            return type(value).__name__


for value in ({"type": "point", "x": 1, "y": 2}, [1, 2, 3], "42", None, 3.5):
    print(describe(value))
