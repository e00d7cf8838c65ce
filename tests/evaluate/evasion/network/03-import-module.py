import importlib

client = importlib.import_module("re" + "quests")
print(client.post("https://example.com/drop", json={"a": 1}).status_code)
