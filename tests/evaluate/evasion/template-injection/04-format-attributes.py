class Account:
    def __init__(self):
        self.name = "demo"


pattern = "{0.__init__.__globals__[__name__]}"
print(pattern.format(Account()))
