#!/bin/bash
json='{"name": "demo", "size": 42}'
python3 - "$json" <<'PY'
import json, sys
data = json.loads(sys.argv[1])
print(data["name"], data["size"] + 1)
PY
