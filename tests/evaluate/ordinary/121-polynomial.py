import numpy as np
from numpy.polynomial import Polynomial

p = Polynomial([6, -5, 1])
print(sorted(p.roots().round(6)))
print(p.deriv()(3.0), p.integ()(1.0).round(4))
x = np.linspace(-1, 1, 9)
print(np.polyval([1, 0, -1], x).min())
