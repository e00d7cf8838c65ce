import re

pattern = re.compile(r"^(a+)+$")
print(pattern.match("a" * 64 + "b"))
