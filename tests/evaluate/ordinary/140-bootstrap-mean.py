import random
import statistics

random.seed(1)
data = [random.gauss(50, 10) for _ in range(80)]
means = sorted(statistics.fmean(random.choices(data, k=len(data))) for _ in range(500))
print(f"95% interval: {means[12]:.1f} to {means[487]:.1f}")
