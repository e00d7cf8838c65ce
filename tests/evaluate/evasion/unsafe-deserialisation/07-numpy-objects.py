import numpy as np

values = np.load("uploaded.npy", allow_pickle=True)
print(values.item())
