import pandas as pd

orders = pd.DataFrame({"order": [1, 2, 3], "customer": ["a", "b", "z"], "total": [10, 20, 30]})
customers = pd.DataFrame({"customer": ["a", "b", "c"], "country": ["NO", "SE", "DK"]})
joined = orders.merge(customers, on="customer", how="left", indicator=True)
missing = joined.query("_merge == 'left_only'")
print(joined.drop(columns="_merge").fillna("unknown"))
print("unmatched:", missing["order"].tolist())
