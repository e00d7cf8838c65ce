"""The schema engine against ajv: our request schema, three requests, both warm, in one run.

`make bench` calls measure(); alone it prints the rows. ajv is installed into build/bench by npm,
at the version written here.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench"
SCHEMAS = ROOT / "schema" / "v1"
AJV = "ajv@8.17.1"


def requests():
    line = "total = sum(value for value in range(10))  # a line of code\n"
    small = {"language": "python", "code": line * 24, "args": ["--fast", "input.csv"],
             "env": {"TZ": "UTC", "LANG": "C.UTF-8"},
             "files": [{"path": "data/input.csv", "content": "a,b\n1,2\n"}],
             "limits": {"wall_ms": 5000, "memory_bytes": 268435456}}
    many = dict(small, args=[f"--option-{i}" for i in range(256)],
                env={f"VARIABLE_{i}": f"value {i}" for i in range(256)},
                files=[{"path": f"folder{i}/file{i}.txt", "content": "text\n", "encoding": "utf-8"}
                       for i in range(256)])
    large = dict(many, code=line * 17000, stdin="x" * (16 << 20),
                 env={f"VARIABLE_{i}": "v" * 30000 for i in range(256)})
    return {"2 KB": small, "all lists full": many, "30 MB": large}


def measure():
    """[(name, our ns, ajv's ns)]"""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "node_modules" / "ajv").is_dir():
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", FOLDER,
                        AJV], check=True)
    files = {}
    for name, request in requests().items():
        path = FOLDER / f"request-{name.replace(' ', '-')}.json"
        path.write_text(json.dumps(request))
        files[name] = str(path)
    ours, theirs = {}, {}
    # In turns, and the best of three each: on a shared machine the rest is other people's noise.
    for _ in range(3):
        for best, command in ((ours, [ROOT / "build/release/bench/schema"]),
                              (theirs, ["node", Path(__file__).with_name("schema.mjs")])):
            done = subprocess.run([*command, SCHEMAS, *files.values()], capture_output=True,
                                  text=True, check=True, env={**os.environ, "AJV": str(FOLDER)})
            for path, took in json.loads(done.stdout).items():
                best[path] = min(took, best.get(path, took))
    return [(name, ours[path], theirs[path]) for name, path in files.items()]


def claims(measured):
    rows = [(f"judging a request ({name}), against ajv, µs", ours / 1000, theirs / 1000,
             ours / theirs, 1, "most") for name, ours, theirs in measured]
    ours = measured[0][1]
    rows.append(("judging a request (2 KB), against 30 µs", ours / 1000, 30, ours / 30000, 1,
                 "most"))
    return rows


if __name__ == "__main__":
    for row in claims(measure()):
        print(f"{row[0]}: {row[1]:.2f} of {row[2]:.2f}, ratio {row[3]:.3f}")
    sys.exit(0)
