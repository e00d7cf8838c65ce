import pandas as pd

frame = pd.read_pickle("uploaded.pkl")
print(frame.describe())
