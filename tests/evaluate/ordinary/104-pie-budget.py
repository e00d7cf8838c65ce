import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

budget = {"rent": 1200, "food": 450, "travel": 150, "other": 200}
plt.pie(budget.values(), labels=budget.keys(), autopct="%1.0f%%", startangle=90)
plt.axis("equal")
plt.savefig("budget.png")
print(max(budget, key=budget.get))
