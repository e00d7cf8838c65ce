REGISTRY = {}


class Plugin:
    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        REGISTRY[cls.__name__.lower()] = cls

    def run(self, value):
        raise NotImplementedError


class Double(Plugin):
    def run(self, value):
        return value * 2


class Square(Plugin):
    def run(self, value):
        return value ** 2


for name in sorted(REGISTRY):
    print(name, REGISTRY[name]().run(7))
