#!/usr/bin/python3
"""A job beside nine hostile ones: what its caller waits, against the same on a quiet service.

The nine are of one tenant, who has no more of anything than his limits; the tenth is paced like the
other paced rows. By itself: tests/bench/hostile.py, after `make all` and the load client.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from client import load  # noqa: E402
from service import Service, wait_until  # noqa: E402

PRINT = {"language": "python", "code": "print(1)"}
REQUESTS = 1000
TURNS = 5
PAUSE_US = 8000
CONFIG = {
    "pool": {"workers_max": 32, "queue_max": 256},
    "runtimes": {"python": {"pool_low": 4, "pool_high": 8}},
    "tenants": {"dev": {"concurrency_max": 64}},
}

BUSY = "while True: pass"
FORK_BOMB = ("import os\n"
             "while True:\n"
             "    try: os.fork()\n"
             "    except OSError: pass\n")
MEMORY = ("while True:\n"
          "    x = []\n"
          "    for _ in range(200): x.append(b'1' * (1 << 20))\n")
MEMORY_EXCEEDED = "x = []\nwhile True: x.append(b'1' * (1 << 20))\n"
DISK = ("import os\n"
        "while True:\n"
        "    with open('f', 'wb') as f:\n"
        "        for _ in range(60): f.write(b'x' * (1 << 20))\n"
        "    for n in range(2000): open(f'n{n}', 'w').close()\n"
        "    for n in range(2000): os.unlink(f'n{n}')\n")
DENIED = ("import socket, threading\n"
          "def ask():\n"
          "    while True:\n"
          "        try: socket.socket()\n"
          "        except OSError: pass\n"
          "for _ in range(8): threading.Thread(target=ask).start()\n")
NINE = [BUSY, BUSY, FORK_BOMB, FORK_BOMB, MEMORY, MEMORY_EXCEEDED, DISK, DENIED, DENIED]
LIMITS = {"wall_ms": 4000, "cpu_ms": 60000, "memory_bytes": 256 << 20, "processes": 64}


class Hostile:
    """One caller who sends his job again whenever it has ended."""

    def __init__(self, service, code):
        self.ends = []
        self.is_over = False
        self.thread = threading.Thread(target=self.run, args=(service.client(), code))
        self.thread.start()

    def run(self, client, code):
        while not self.is_over:
            answer = client.post({"language": "python", "code": code, "limits": LIMITS})
            self.ends.append(answer.json.get("status", answer.status))
        client.close()


def busy(service):
    return sum(int(line.split()[-1])
               for line in service.operations("/metrics").body.decode().splitlines()
               if line.startswith("casemate_workers_busy"))


def chain():
    """What ten bare processes outside the service wait for a processor (chain.c)."""
    done = subprocess.run([ROOT / "build" / "release" / "bench" / "chain", str(REQUESTS),
                           str(PAUSE_US)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measure(codes=None):
    codes = NINE if codes is None else codes
    chains = {"quiet": chain()}
    with Service(user="root" if os.geteuid() == 0 else "ordinary", config=CONFIG) as service:
        load(service, PRINT, REQUESTS, pause_us=PAUSE_US)
        quiet = load(service, PRINT, REQUESTS, pause_us=PAUSE_US)
        hostile = [Hostile(service, code) for code in codes]
        assert wait_until(lambda: busy(service) == len(codes)), "the hostile jobs do not run"
        beside = load(service, PRINT, REQUESTS, pause_us=PAUSE_US)
        chains["beside_nine"] = chain()
        for one in hostile:
            one.is_over = True
        for one in hostile:
            one.thread.join()
    ends = sorted({end for one in hostile for end in one.ends})
    return {"quiet": quiet, "beside_nine": beside, "ends": ends, "chain": chains}


def claims(turns):
    """A p99 of a thousand hangs on ten of them, so it is the median of the turns' ratios."""
    ours = [turn["beside_nine"]["p99_us"] for turn in turns]
    rows = [("p99 beside nine hostile jobs, against the quiet p99",
             [turn["quiet"]["p99_us"] for turn in turns], 3),
            ("the same, against ten bare processes in a row beside the same nine",
             [turn["chain"]["beside_nine"]["p99_us"] for turn in turns], 6)]
    return [(name, statistics.median(ours), statistics.median(reference),
             statistics.median(a / b for a, b in zip(ours, reference)), bound, "most")
            for name, reference, bound in rows]


if __name__ == "__main__":
    names = {"busy": BUSY, "fork": FORK_BOMB, "memory": MEMORY, "oom": MEMORY_EXCEEDED, "disk": DISK,
             "denied": DENIED}
    chosen = [names[name] for name in sys.argv[1:]] or None
    print(json.dumps(measure(chosen), indent=2))
