import pandas as pd

wide = pd.DataFrame({"country": ["NO", "SE"], "2021": [5.4, 10.4], "2022": [5.5, 10.5]})
tidy = wide.melt(id_vars="country", var_name="year", value_name="population")
tidy["year"] = tidy["year"].astype(int)
tidy["growth"] = tidy.sort_values("year").groupby("country")["population"].pct_change()
print(tidy.sort_values(["country", "year"]).to_json(orient="records", lines=True))
