import numpy as np

np.save("grid.npy", np.eye(3))
np.savez("several.npz", a=np.arange(3), b=np.ones(2))
print(np.load("grid.npy").trace())
with np.load("several.npz") as archive:
    print(sorted(archive.files), archive["a"].sum())
np.savetxt("grid.txt", np.eye(2), fmt="%d")
print(np.loadtxt("grid.txt").shape)
