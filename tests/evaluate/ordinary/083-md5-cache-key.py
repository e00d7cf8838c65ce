import hashlib
import json


def cache_key(**options):
    text = json.dumps(options, sort_keys=True)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:12]


print(cache_key(size=3, kind="a") == cache_key(kind="a", size=3))
