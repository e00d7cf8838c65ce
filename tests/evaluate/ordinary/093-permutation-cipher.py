import random

alphabet = "abcdefghijklmnopqrstuvwxyz"
shuffled = "".join(random.Random(11).sample(alphabet, 26))
encode = str.maketrans(alphabet, shuffled)
decode = str.maketrans(shuffled, alphabet)
text = "the quick brown fox"
hidden = text.translate(encode)
print(hidden != text, hidden.translate(decode))
