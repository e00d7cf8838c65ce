from datetime import date

PRODUCTS = [("milk", date(2024, 5, 3)), ("bread", date(2024, 4, 30)), ("rice", date(2026, 1, 1))]
TODAY = date(2024, 5, 1)
for name, best_before in sorted(PRODUCTS, key=lambda item: item[1]):
    left = (best_before - TODAY).days
    state = "expired" if left < 0 else "soon" if left < 7 else "fine"
    print(f"{name:<8}{left:>6} days  {state}")
