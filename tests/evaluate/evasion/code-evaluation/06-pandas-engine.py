import pandas as pd

frame = pd.DataFrame({"a": [1, 2, 3]})
text = "@pd.compat.os.getcwd()"
print(pd.eval(text, engine="python"))
print(frame.query("@frame.__class__.__name__ == 'x'", engine="python"))
