from decimal import Decimal, ROUND_HALF_UP

LINES = [("widget", 3, "19.99"), ("gadget", 1, "149.50"), ("cable", 12, "0.85")]
CENT = Decimal("0.01")
subtotal = sum(Decimal(price) * quantity for _, quantity, price in LINES)
vat = (subtotal * Decimal("0.25")).quantize(CENT, rounding=ROUND_HALF_UP)
for name, quantity, price in LINES:
    print(f"{name:<10}{quantity:>4} x {price:>8}")
print(f"total {subtotal + vat}")
