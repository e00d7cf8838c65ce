import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

labels = ["python", "c", "bash"]
values = [14, 33, 5]
plt.figure()
bars = plt.bar(labels, values, color=["#335577", "#557733", "#775533"])
plt.bar_label(bars)
plt.title("Files by language")
plt.savefig("languages.svg")
plt.close()
print(open("languages.svg").read()[:5])
