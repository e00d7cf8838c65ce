import numpy as np

readings = np.array([3.2, -999.0, 4.1, 5.6, -999.0, 4.4])
valid = np.ma.masked_equal(readings, -999.0)
print(valid.mean().round(3), valid.count())
table = np.arange(12).reshape(3, 4)
print(table[table % 2 == 0].sum(), table.T.shape, np.where(table > 8))
