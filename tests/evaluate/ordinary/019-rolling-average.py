import numpy as np
import pandas as pd

index = pd.date_range("2024-01-01", periods=30, freq="D")
rng = np.random.default_rng(42)
series = pd.Series(rng.normal(100, 10, len(index)).round(2), index=index)
weekly = series.resample("W").mean().round(2)
print(weekly)
print(series.rolling(7).mean().dropna().iloc[-1].round(3))
