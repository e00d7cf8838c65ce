import os

found = [os.path.join(top, name) for top, _, names in os.walk("/") for name in names if name.endswith(".pem")]
print(found)
