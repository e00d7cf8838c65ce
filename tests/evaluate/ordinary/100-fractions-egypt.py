from fractions import Fraction
from math import ceil


def egyptian(value):
    parts = []
    while value > 0:
        unit = Fraction(1, ceil(1 / value))
        parts.append(str(unit))
        value -= unit
    return parts


print(" + ".join(egyptian(Fraction(7, 15))))
