import json
from pathlib import Path

path = Path("events.jsonl")
with path.open("w") as out:
    for number in range(5):
        out.write(json.dumps({"id": number, "kind": "even" if number % 2 == 0 else "odd"}) + "\n")
events = [json.loads(line) for line in path.read_text().splitlines()]
print(sum(event["id"] for event in events if event["kind"] == "even"))
path.unlink()
