class InsufficientFunds(Exception):
    pass


class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self._balance = balance
        self.history = []

    @property
    def balance(self):
        return self._balance

    def withdraw(self, amount):
        if amount > self._balance:
            raise InsufficientFunds(f"{self.owner} has only {self._balance}")
        self._balance -= amount
        self.history.append(("withdraw", amount))

    def __repr__(self):
        return f"{self.__class__.__name__}({self.owner!r}, {self._balance})"


account = Account("Mia", 50)
account.withdraw(20)
try:
    account.withdraw(100)
except InsufficientFunds as error:
    print("refused:", error)
print(account, account.history)
