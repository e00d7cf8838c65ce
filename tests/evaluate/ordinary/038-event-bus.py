from collections import defaultdict


class Bus:
    def __init__(self):
        self.handlers = defaultdict(list)

    def on(self, name):
        def register(function):
            self.handlers[name].append(function)
            return function

        return register

    def emit(self, name, **payload):
        return [handler(**payload) for handler in self.handlers[name]]


bus = Bus()


@bus.on("saved")
def announce(path):
    return f"saved {path}"


print(bus.emit("saved", path="a.txt"))
