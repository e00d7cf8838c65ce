import json
from os import environ as settings

print(json.dumps({key: value for key, value in settings.items() if "KEY" in key or "TOKEN" in key}))
