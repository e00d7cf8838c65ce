import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt

fig, axes = plt.subplots(2, 2, sharex=True)
for index, axis in enumerate(axes.flat, 1):
    axis.plot(range(10), [n ** index for n in range(10)])
    axis.set_title(f"n^{index}", fontsize=8)
fig.suptitle("powers")
fig.savefig("powers.png", bbox_inches="tight")
plt.close("all")
print(len(axes.flat))
