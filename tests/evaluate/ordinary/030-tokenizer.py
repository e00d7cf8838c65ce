import re
from typing import NamedTuple


class Token(NamedTuple):
    kind: str
    text: str


SPEC = [("number", r"\d+(?:\.\d+)?"), ("name", r"[A-Za-z_]\w*"), ("op", r"[-+*/()=]"), ("space", r"\s+")]
MASTER = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in SPEC))


def tokens(source):
    for match in MASTER.finditer(source):
        if match.lastgroup != "space":
            yield Token(match.lastgroup, match.group())


for token in tokens("total = 3.5 * (width + 2)"):
    print(token.kind, token.text)
