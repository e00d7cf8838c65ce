import math


def integrate(rate, state, step, count):
    time = 0.0
    for _ in range(count):
        k1 = rate(time, state)
        k2 = rate(time + step / 2, state + step * k1 / 2)
        k3 = rate(time + step / 2, state + step * k2 / 2)
        k4 = rate(time + step, state + step * k3)
        state += step * (k1 + 2 * k2 + 2 * k3 + k4) / 6
        time += step
    return state


print(round(integrate(lambda t, y: -y, 1.0, 0.1, 10), 6), round(math.exp(-1), 6))
