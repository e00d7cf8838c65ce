import pandas as pd

sales = pd.DataFrame(
    {
        "region": ["north", "south", "north", "east", "south"],
        "amount": [120.5, 80.0, 99.9, 45.25, 300.0],
    }
)
summary = sales.groupby("region")["amount"].agg(["sum", "mean", "count"]).sort_values("sum", ascending=False)
print(summary.to_string())
