import pandas as pd

index = pd.period_range("2023-01", periods=12, freq="M")
series = pd.Series(range(100, 112), index=index)
frame = pd.DataFrame({"now": series, "before": series.shift(1)})
frame["change"] = frame["now"] - frame["before"]
print(frame.dropna().describe().loc[["mean", "max"]])
