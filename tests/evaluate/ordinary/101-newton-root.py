def newton(function, derivative, guess, tolerance=1e-10, limit=100):
    for step in range(limit):
        value = function(guess)
        if abs(value) < tolerance:
            return guess, step
        guess -= value / derivative(guess)
    raise ArithmeticError("did not converge")


root, steps = newton(lambda x: x ** 3 - 2 * x - 5, lambda x: 3 * x ** 2 - 2, 2.0)
print(f"{root:.8f} in {steps} steps")
