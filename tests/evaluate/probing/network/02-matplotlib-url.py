import matplotlib.pyplot as plt

place = "https:" + "//example.com/x.png"
plt.imread(place)
