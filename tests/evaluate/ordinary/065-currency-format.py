import locale

locale.setlocale(locale.LC_ALL, "C")
amounts = [0, 1234.5, -99.999, 1_000_000]
for amount in amounts:
    sign = "-" if amount < 0 else ""
    print(f"{sign}${abs(amount):,.2f}".rjust(16))
