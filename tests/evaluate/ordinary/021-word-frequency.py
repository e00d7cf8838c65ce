import re
import string
from collections import Counter

TEXT = """It was the best of times, it was the worst of times,
it was the age of wisdom, it was the age of foolishness."""
STOP = {"it", "was", "the", "of"}
words = re.findall(r"[a-z']+", TEXT.lower())
counts = Counter(word for word in words if word not in STOP)
for word, count in counts.most_common(5):
    print(f"{word:<12}{'#' * count} {count}")
print(sum(character in string.punctuation for character in TEXT))
