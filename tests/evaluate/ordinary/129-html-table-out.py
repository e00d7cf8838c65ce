import pandas as pd

frame = pd.DataFrame({"k": ["a", "b"], "v": [1.234, 5.678]})
frame.to_html("table.html", index=False, float_format="%.1f")
text = open("table.html").read()
print(text.count("<tr"), "5.7" in text)
