import pandas as pd

prices = pd.Series({"apple": 1.2, "pear": 1.5, "fig": 3.0}, name="price")
basket = pd.DataFrame({"fruit": ["pear", "apple", "kiwi"], "quantity": [2, 6, 1]})
basket["price"] = basket["fruit"].map(prices)
basket["cost"] = basket.eval("quantity * price")
print(basket)
print(basket["cost"].sum(skipna=True).round(2))
