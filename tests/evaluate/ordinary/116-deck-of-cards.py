import random
from collections import namedtuple
from itertools import product

Card = namedtuple("Card", "rank suit")
deck = [Card(rank, suit) for suit, rank in product("SHDC", "23456789TJQKA")]
random.Random(4).shuffle(deck)
hand = sorted(deck[:5], key=lambda card: "23456789TJQKA".index(card.rank))
print(" ".join(card.rank + card.suit for card in hand), len(deck))
