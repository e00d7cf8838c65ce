from dataclasses import dataclass, field, asdict
from typing import List


@dataclass(order=True)
class Item:
    price: float
    name: str = field(compare=False)
    tags: List[str] = field(default_factory=list, compare=False)

    def discounted(self, percent: float) -> "Item":
        return Item(round(self.price * (1 - percent / 100), 2), self.name, list(self.tags))


items = [Item(9.99, "pen", ["office"]), Item(3.5, "clip"), Item(120, "chair", ["home"])]
print(min(items).name, max(items).name)
print([asdict(item.discounted(10)) for item in items])
