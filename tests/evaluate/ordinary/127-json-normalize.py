import pandas as pd

records = [
    {"id": 1, "user": {"name": "Ann", "address": {"city": "Oslo"}}, "tags": ["x", "y"]},
    {"id": 2, "user": {"name": "Bo", "address": {"city": "Rome"}}, "tags": []},
]
frame = pd.json_normalize(records)
print(frame.columns.tolist())
print(frame.explode("tags")[["id", "tags"]].to_dict("records"))
