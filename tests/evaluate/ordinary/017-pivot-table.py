import pandas as pd

frame = pd.DataFrame(
    {
        "month": ["jan", "jan", "feb", "feb", "mar"],
        "product": ["x", "y", "x", "y", "x"],
        "units": [10, 5, 7, 9, 12],
    }
)
table = frame.pivot_table(index="month", columns="product", values="units", aggfunc="sum", fill_value=0)
table["total"] = table.sum(axis=1)
table.to_csv("pivot.csv")
print(pd.read_csv("pivot.csv", index_col="month"))
