import pandas as pd

ages = pd.Series([5, 17, 25, 34, 48, 61, 70])
groups = pd.cut(ages, bins=[0, 18, 40, 65, 120], labels=["child", "young", "middle", "old"])
print(groups.value_counts(sort=False).to_dict())
print(pd.get_dummies(groups).sum().tolist())
