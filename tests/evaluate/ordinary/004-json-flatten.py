import json


def flatten(value, prefix=""):
    items = {}
    if isinstance(value, dict):
        for key, inner in value.items():
            items.update(flatten(inner, f"{prefix}{key}."))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            items.update(flatten(inner, f"{prefix}{index}."))
    else:
        items[prefix[:-1]] = value
    return items


document = json.loads('{"user": {"name": "Kim", "tags": ["a", "b"]}, "ok": true}')
print(json.dumps(flatten(document), indent=2, sort_keys=True))
