import pickle

cache = {"name": "grid", "cells": [[0] * 3 for _ in range(3)], "shape": (3, 3)}
with open("cache.pkl", "wb") as handle:
    pickle.dump(cache, handle)
with open("cache.pkl", "rb") as handle:
    again = pickle.load(handle)
print(again == cache)
