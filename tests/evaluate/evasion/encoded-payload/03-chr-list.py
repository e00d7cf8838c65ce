letters = [112, 114, 105, 110, 116, 40, 49, 41]
eval("".join(map(chr, letters)))
