import math
from collections import Counter

DOCS = ["the cat sat", "the dog sat", "the bird flew away"]
split = [doc.split() for doc in DOCS]
frequency = Counter(word for words in split for word in set(words))


def weight(word, words):
    return words.count(word) / len(words) * math.log(len(DOCS) / frequency[word])


for words in split:
    top = max(words, key=lambda word: (weight(word, words), word))
    print(top, round(weight(top, words), 3))
