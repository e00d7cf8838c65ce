#!/usr/bin/python3
"""Measures what two jobs that want to talk can still say to each other: the rates in
docs/THREATS.md. By hand, as root, after `make all`: tests/redteam/channels.py

Sender and receiver share the time of day. In slot n the sender does or does not do something, as bit
n of a sequence that both know; the receiver looks in the middle of the slot. The rate is what a
channel with that many wrong bits can carry (binary symmetric); of several slot lengths the best one
counts.
"""

import math
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from service import Service  # noqa: E402

BITS = 200

COMMON = """
import ctypes, fcntl, os, random, struct, time
bits = random.Random(1)
bits = [bits.getrandbits(1) for _ in range({bits})]
libc = ctypes.CDLL(None)
def wait(until):
    left = until - time.time()
    if left > 0.002: time.sleep(left - 0.001)
    while time.time() < until: pass
"""

LOCK = """
null = os.open('/dev/null', os.O_RDWR)
def lock(kind): fcntl.fcntl(null, fcntl.F_SETLK, struct.pack('hhqqi4x', kind, 0, 0, 0, 0))
"""

CHANNELS = {
    "lock on /dev/null": (
        LOCK,
        "lock(fcntl.F_WRLCK if bit else fcntl.F_UNLCK)",
        "try: lock(fcntl.F_WRLCK); lock(fcntl.F_UNLCK); seen = 0\n"
        "    except OSError: seen = 1",
        (0.02, 0.005, 0.001, 0.0005, 0.0002)),
    "number of processes (sysinfo)": (
        "import signal\nkids = []\ndef procs():\n"
        "    info = (ctypes.c_ubyte * 128)(); libc.sysinfo(info)\n"
        "    return struct.unpack_from('H', bytes(info), 80)[0]\nbase = []\n",
        "while bit and len(kids) < 20:\n"
        "        pid = os.fork()\n"
        "        if pid == 0: signal.pause(); os._exit(0)\n"
        "        kids.append(pid)\n"
        "    while not bit and kids: os.kill(kids[-1], 9); os.waitpid(kids.pop(), 0)",
        "base.append(procs()); recent = base[-20:]\n"
        "    seen = int(base[-1] > (min(recent) + max(recent)) / 2)",
        (0.1, 0.05, 0.02)),
}


def capacity(slot, errors):
    share = min(errors / BITS, 0.5)
    entropy = 0 if share in (0, 1) else -(share * math.log2(share) + (1 - share) * math.log2(1 - share))
    return (1 - entropy) / slot


def measure(service, channel, slot):
    setup, send, receive, _ = CHANNELS[channel]
    head = COMMON.format(bits=BITS) + setup
    start = time.time() + 1
    sender = f"{head}\nfor n, bit in enumerate(bits):\n    wait({start!r} + n * {slot})\n    {send}\n"
    receiver = (f"{head}\nwrong = 0\nfor n, bit in enumerate(bits):\n"
                f"    wait({start!r} + (n + 0.5) * {slot})\n    {receive}\n    wrong += seen != bit\n"
                "print(wrong)\n")
    limits = {"wall_ms": 55000, "cpu_ms": 20000}
    answers = []
    other = threading.Thread(target=lambda: answers.append(
        service.client().run(sender, limits=limits)))
    other.start()
    document = service.client().run(receiver, limits=limits)
    other.join()
    assert document["status"] == answers[0]["status"] == "succeeded", (document, answers)
    return int(document["stdout"])


def main():
    config = {"pool": {"workers_max": 4},
              "runtimes": {"python": {"pool_low": 2, "pool_high": 3, "preload": []}}}
    with Service(user="root", config=config) as service:
        for channel, parts in CHANNELS.items():
            best = 0
            for slot in parts[3]:
                wrong = measure(service, channel, slot)
                best = max(best, capacity(slot, wrong))
                print(f"{channel}: slots of {slot * 1e6:.0f} us, {wrong} of {BITS} bits wrong, "
                      f"{capacity(slot, wrong):.0f} bit/s", flush=True)
            print(f"{channel}: {best:.0f} bit/s")


if __name__ == "__main__":
    main()
