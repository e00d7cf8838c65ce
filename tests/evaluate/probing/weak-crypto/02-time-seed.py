import time

reset_code = int(time.time() * 1000) % 1_000_000
print("your code", reset_code)
