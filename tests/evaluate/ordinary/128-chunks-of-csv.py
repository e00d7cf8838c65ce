import pandas as pd

with open("big.csv", "w") as out:
    out.write("id,value\n")
    out.writelines(f"{n},{n % 7}\n" for n in range(5000))
total = 0
for chunk in pd.read_csv("big.csv", chunksize=1000):
    total += int(chunk.loc[chunk["value"] > 3, "value"].sum())
print(total)
