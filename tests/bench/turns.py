#!/usr/bin/python3
"""One caller against whole commands, in turns: both sides of a ratio see the same machine.

A shared machine drifts by a third within minutes, so a command that was timed before the service
was started says little. The service runs as it is shipped. By itself: tests/bench/turns.py, after
`make all` and the load client.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from client import load  # noqa: E402
from service import Service  # noqa: E402

TURNS = 7
PRINT = "print(1)"
PANDAS = "import pandas\nprint(int(pandas.DataFrame({'a': [1, 2, 3]}).sum()['a']))"
PYTHON = "/usr/bin/python3"
# What a caller has who puts bash into bubblewrap with all its namespaces, and nothing else.
BWRAP = ["bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib",
         "--symlink", "usr/lib64", "/lib64", "--dev", "/dev", "--tmpfs", "/tmp"]

# name: (language, code, requests a turn, pause between them in us). Starting a node takes two
# cores longer than 8 ms, so javascript is paced slower. No slower than that takes: with 300 ms the
# machine falls asleep in between and that is half of the figure.
LOADS = {
    "paced": ("python", PRINT, 200, 8000),
    "back_to_back": ("python", PRINT, 400, 0),
    "pandas": ("python", PANDAS, 60, 8000),
    "bash": ("bash", "echo 1", 100, 8000),
    "javascript": ("javascript", "console.log(1)", 30, 120000),
}
COMMANDS = {
    "python": ([PYTHON, "-c", PRINT], 15),
    "python_pandas": ([PYTHON, "-c", PANDAS], 1),
    "bwrap_bash": ([*BWRAP, "/usr/bin/bash", "-c", "echo 1"], 15),
    "node": (["/usr/bin/node", "-e", "console.log(1)"], 3),
}
# (row, load, command, bound)
ROWS = [
    ("`print(1)` over mTLS, p50, against unsandboxed `python3 -c`", "paced", "python", 0.15),
    ("the same back to back (pool refilled meanwhile)", "back_to_back", "python", 0.15),
    ("pandas job, p50, against unsandboxed `import pandas`", "pandas", "python_pandas", 0.08),
    ("javascript `console.log(1)` over mTLS, p50, against unsandboxed `node -e`", "javascript",
     "node", 0.1),
    ("bash `echo 1` over mTLS, p50, against `bwrap ... bash -c`", "bash", "bwrap_bash", 0.5),
]


def command_us(command, runs):
    """Median wall time of a whole process, after one warm-up."""
    took = []
    for _ in range(runs + 1):
        start = time.monotonic()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        took.append((time.monotonic() - start) * 1e6)
    return statistics.median(took[1:])


def turn(service):
    took = {name: load(service, {"language": language, "code": code}, requests,
                       pause_us=pause_us)["p50_us"]
            for name, (language, code, requests, pause_us) in LOADS.items()}
    return took | {name: command_us(*command) for name, command in COMMANDS.items()}


def measure():
    """One dictionary of medians a turn; a first one warms up."""
    with Service(user="root" if os.geteuid() == 0 else "ordinary") as service:
        return [turn(service) for _ in range(TURNS + 1)][1:]


def claims(turns):
    def middle(values):
        return statistics.median(list(values))
    return [(row, middle(one[ours] for one in turns), middle(one[theirs] for one in turns),
             middle(one[ours] / one[theirs] for one in turns), bound, "most")
            for row, ours, theirs, bound in ROWS]


if __name__ == "__main__":
    measured = measure()
    for row, *_, ratio, bound, _ in claims(measured):
        print(f"{row}: {ratio:.3f} (at most {bound})")
        _, ours, theirs, _ = next(one for one in ROWS if one[0] == row)
        print("   turns:", *(f"{one[ours] / one[theirs]:.3f}" for one in measured))
