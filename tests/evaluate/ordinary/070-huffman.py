import heapq
from collections import Counter


def codes(text):
    heap = [[count, index, symbol] for index, (symbol, count) in enumerate(sorted(Counter(text).items()))]
    heapq.heapify(heap)
    index = len(heap)
    while len(heap) > 1:
        low, high = heapq.heappop(heap), heapq.heappop(heap)
        heapq.heappush(heap, [low[0] + high[0], index, (low[2], high[2])])
        index += 1
    table = {}

    def walk(node, prefix):
        if isinstance(node, tuple):
            walk(node[0], prefix + "0")
            walk(node[1], prefix + "1")
        else:
            table[node] = prefix or "0"

    walk(heap[0][2], "")
    return table


text = "abracadabra"
table = codes(text)
bits = "".join(table[letter] for letter in text)
print(len(bits), table["a"])
