import argparse

parser = argparse.ArgumentParser(description="Convert temperatures.")
parser.add_argument("value", type=float)
parser.add_argument("--to", choices=["c", "f"], default="f")
options = parser.parse_args(["21.5", "--to", "f"])
result = options.value * 9 / 5 + 32 if options.to == "f" else (options.value - 32) * 5 / 9
print(f"{result:.1f}")
