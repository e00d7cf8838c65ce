"""The code engine by itself: what examining a source costs in processor time, and loading all rules.

`make bench` calls measure(); alone it prints the rows. The programs are made of those that
tests/evaluate holds as ordinary ones, cut at 100 lines.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench"
PROGRAM = ROOT / "build/release/bench/code"
SHARE = ROOT / "build/release/share/casemate"
ORDINARY = ROOT / "tests/evaluate/ordinary"
LINES = 100
ROUNDS = 3


def sources():
    """Name -> text, the end of the name says the language."""
    made = {"print.py": "print(1)\n"}
    for end in ("py", "js", "sh"):
        lines = []
        for path in sorted(ORDINARY.glob(f"*.{end}")):
            lines += path.read_text().splitlines(keepends=True)
        made[f"lines.{end}"] = "".join(lines[:LINES])
    return made


def measure():
    """{name: microseconds}, "load" among them; the best of several rounds."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in sources().items():
        paths.append(FOLDER / name)
        paths[-1].write_text(text)
    best = {}
    for _ in range(ROUNDS):
        done = subprocess.run([PROGRAM, SHARE, *paths], capture_output=True, text=True, check=True)
        for path, took in json.loads(done.stdout).items():
            kind, colon, path = path.rpartition(":")
            name = kind + colon + Path(path).name
            best[name] = min(took / 1000, best.get(name, took / 1000))
    return best


def claims(measured):
    bounds = [("print.py", "examining `print(1)`, µs of processor time, against 100", 100),
              ("lines.py", "the same, 100 lines of Python, against 1,000", 1000),
              ("lines.js", "the same, 100 lines of JavaScript, against 1,000", 1000),
              ("lines.sh", "the same, 100 lines of bash, against 1,000", 1000),
              ("load", "loading all rules and proving their examples, µs, against 50,000", 50000)]
    rows = [(text, measured[name], bound, measured[name] / bound, 1, "most")
            for name, text, bound in bounds]
    for name, language in (("lines.py", "Python"), ("lines.js", "JavaScript"), ("lines.sh", "bash")):
        floor = measured[f"parse:{name}"]
        rows.append((f"the same, 100 lines of {language}, against the bare parser in the same run",
                     measured[name], floor, measured[name] / floor, 2.5, "most"))
    return rows


if __name__ == "__main__":
    for row in claims(measure()):
        print(f"{row[0]}: {row[1]:.1f} of {row[2]}, ratio {row[3]:.3f}")
    sys.exit(0)
