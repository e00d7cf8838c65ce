GOOD, BAD = {"great", "love", "excellent"}, {"bad", "slow", "hate"}
REVIEWS = ["I love it, great value", "slow and bad", "it is a chair", "excellent but slow"]


def score(text):
    words = {word.strip(".,!").lower() for word in text.split()}
    return len(words & GOOD) - len(words & BAD)


for review in sorted(REVIEWS, key=score, reverse=True):
    print(f"{score(review):+d} {review}")
