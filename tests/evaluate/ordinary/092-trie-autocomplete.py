class Trie:
    def __init__(self):
        self.children = {}
        self.ends = False

    def add(self, word):
        node = self
        for letter in word:
            node = node.children.setdefault(letter, Trie())
        node.ends = True

    def complete(self, prefix):
        node = self
        for letter in prefix:
            if letter not in node.children:
                return
            node = node.children[letter]
        stack = [(node, prefix)]
        while stack:
            node, word = stack.pop()
            if node.ends:
                yield word
            stack.extend((child, word + letter) for letter, child in node.children.items())


trie = Trie()
for word in ("car", "card", "care", "cat", "dog"):
    trie.add(word)
print(sorted(trie.complete("car")))
