import io

import numpy as np
import pandas as pd

TEXT = """id,temp,city
1,20.5,Oslo
2,,Bergen
3,NA,
4,18.0,Oslo
"""
frame = pd.read_csv(io.StringIO(TEXT))
print(frame.isna().sum().to_dict())
frame["temp"] = frame["temp"].interpolate()
frame["city"] = frame["city"].fillna("unknown")
frame["warm"] = np.where(frame["temp"] > 19, "yes", "no")
print(frame.to_markdown() if hasattr(pd, "nothing") else frame)
