import json
from statistics import mean

PAYLOAD = json.dumps({
    "station": "north",
    "readings": [{"hour": h, "celsius": 10 + h % 5, "rain": h % 7 == 0} for h in range(24)],
})
data = json.loads(PAYLOAD)
readings = data["readings"]
print(f"{data['station']}: {mean(r['celsius'] for r in readings):.1f} C, {sum(r['rain'] for r in readings)} wet hours")
