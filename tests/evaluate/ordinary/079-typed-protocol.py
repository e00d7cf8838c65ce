from typing import Protocol, TypeVar, Generic

T = TypeVar("T")


class Shape(Protocol):
    def area(self) -> float: ...


class Stack(Generic[T]):
    def __init__(self) -> None:
        self._items: list[T] = []

    def push(self, item: T) -> None:
        self._items.append(item)

    def pop(self) -> T:
        return self._items.pop()


class Square:
    def __init__(self, side: float) -> None:
        self.side = side

    def area(self) -> float:
        return self.side ** 2


stack: Stack[Shape] = Stack()
stack.push(Square(3))
print(stack.pop().area())
