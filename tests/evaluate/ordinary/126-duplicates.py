import pandas as pd

frame = pd.DataFrame({"email": ["A@x.org", "a@x.org ", "b@x.org"], "n": [1, 2, 3]})
frame["key"] = frame["email"].str.strip().str.lower()
unique = frame.drop_duplicates("key", keep="last")
print(unique[["key", "n"]].values.tolist())
for row in unique.itertuples(index=False):
    print(row.key, row.n)
