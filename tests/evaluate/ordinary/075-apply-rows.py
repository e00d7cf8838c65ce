import pandas as pd

people = pd.DataFrame({"first": ["Ada", "Alan"], "last": ["Lovelace", "Turing"], "born": [1815, 1912]})
people["full"] = people.apply(lambda row: f"{row['first']} {row['last']}".upper(), axis=1)
people["century"] = people["born"].floordiv(100).add(1)
people = people.assign(initials=people["first"].str[0] + people["last"].str[0])
print(people[["full", "century", "initials"]])
