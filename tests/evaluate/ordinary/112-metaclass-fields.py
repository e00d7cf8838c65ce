class Fields(type):
    def __new__(mcls, name, bases, space):
        space["fields"] = [key for key in space.get("__annotations__", {})]
        return super().__new__(mcls, name, bases, space)


class Record(metaclass=Fields):
    def __init__(self, *values):
        for key, value in zip(type(self).fields, values):
            setattr(self, key, value)


class Point(Record):
    x: int
    y: int


p = Point(1, 2)
print(Point.fields, p.x + p.y, type(Point).__name__, Point.__mro__[1].__name__)
