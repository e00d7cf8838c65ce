import re
import secrets
import string


def strength(password):
    checks = [len(password) >= 12, re.search(r"[a-z]", password), re.search(r"[A-Z]", password),
              re.search(r"\d", password), re.search(r"[^\w\s]", password)]
    return sum(bool(check) for check in checks)


generated = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(16))
print(strength("abc"), strength("Longer-Phrase-42"), len(generated))
