import csv
from collections import defaultdict
from datetime import datetime
from pathlib import Path

Path("bank.csv").write_text("date;text;amount\n2024-01-03;Rent;-900,00\n2024-01-15;Salary;2500,50\n2024-02-01;Rent;-900,00\n")
months = defaultdict(float)
with open("bank.csv", newline="") as source:
    for row in csv.DictReader(source, delimiter=";"):
        when = datetime.strptime(row["date"], "%Y-%m-%d")
        months[when.strftime("%b %Y")] += float(row["amount"].replace(",", "."))
for month, balance in months.items():
    print(f"{month}: {balance:+.2f}")
