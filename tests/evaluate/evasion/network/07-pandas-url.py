import pandas

table = pandas.read_csv("https://example.com/prices.csv")
print(table.head())
