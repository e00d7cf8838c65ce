#!/usr/bin/python3
"""Measures what two jobs that want to talk can still say to each other: the rates in
docs/THREATS.md. By hand, as root, after `make all`: tests/redteam/channels.py [part of a name]

Sender and receiver share the time of day. In slot n the sender does or does not do something, as bit
n of a sequence that is known; the receiver looks in the middle of the slot. The rate is what the bits
seen say about those sent; of several slot lengths the best one counts.
"""

import math
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from service import Service  # noqa: E402

BITS = 200
SEQUENCE = random.Random(1)
SENT = [SEQUENCE.getrandbits(1) for _ in range(BITS)]

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
def lock(file, kind, start=0, length=0):
    fcntl.fcntl(file, fcntl.F_SETLK, struct.pack('hhqqi4x', kind, 0, start, length, 0))
"""

NULL = LOCK + """
null = os.open('/dev/null', os.O_RDWR)
def hold(kind):
    try: lock(null, kind)
    except OSError: return 1
    return 0
"""

# Locks of a file are one list, which setting another walks through.
LIST = LOCK + """
shared = os.open('/usr/bin/env', os.O_RDONLY)
times = []
def look():
    took = []
    for _ in range(8):
        began = time.perf_counter()
        lock(shared, fcntl.F_RDLCK); lock(shared, fcntl.F_UNLCK)
        took.append(time.perf_counter() - began)
    times.append(min(took))
    recent = times[-50:]
    return int(times[-1] > (min(recent) + max(recent)) / 2)
def fill(bit):
    if not bit: return lock(shared, fcntl.F_UNLCK)
    for number in range(COUNT): lock(shared, fcntl.F_RDLCK, 2 * number, 1)
"""

CHANNELS = {
    "lock on /dev/null": (
        NULL,
        "hold(fcntl.F_WRLCK if bit else fcntl.F_UNLCK)",
        "seen = hold(fcntl.F_WRLCK); hold(fcntl.F_UNLCK)",
        (0.02, 0.005, 0.001, 0.0005, 0.0002)),
    "number of read locks on a system file": (
        LIST.replace("COUNT", "300"),
        "fill(bit)",
        "seen = look()",
        (0.02, 0.005, 0.002, 0.001)),
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


def capacity(slot, seen):
    """What the receiver knows of the sequence by what it saw, in bit/s: a receiver that always sees
    the same knows nothing."""
    together = Counter(zip(SENT, seen))
    sent, got = Counter(SENT), Counter(seen)
    bits = sum(count / BITS * math.log2(count * BITS / (sent[bit] * got[what]))
               for (bit, what), count in together.items())
    # So much is found in noise, too.
    return max(bits - 1 / (2 * BITS * math.log(2)), 0) / slot


def measure(service, channel, slot):
    setup, send, receive, _ = CHANNELS[channel]
    head = COMMON.format(bits=BITS) + setup
    start = time.time() + 1
    sender = f"{head}\nfor n, bit in enumerate(bits):\n    wait({start!r} + n * {slot})\n    {send}\n"
    receiver = (f"{head}\nall = ''\nfor n in range({BITS}):\n"
                f"    wait({start!r} + (n + 0.5) * {slot})\n    {receive}\n    all += str(seen)\n"
                "print(all)\n")
    limits = {"wall_ms": 55000, "cpu_ms": 20000}
    answers = []
    other = threading.Thread(target=lambda: answers.append(
        service.client().run(sender, limits=limits)))
    other.start()
    document = service.client().run(receiver, limits=limits)
    other.join()
    assert document["status"] == answers[0]["status"] == "succeeded", (document, answers)
    return [int(bit) for bit in document["stdout"].strip()]


def main():
    config = {"pool": {"workers_max": 4},
              "runtimes": {"python": {"pool_low": 2, "pool_high": 3, "preload": []}}}
    with Service(user="root", config=config) as service:
        for channel, parts in CHANNELS.items():
            if len(sys.argv) > 1 and sys.argv[1] not in channel:
                continue
            best = 0
            for slot in parts[3]:
                seen = measure(service, channel, slot)
                best = max(best, capacity(slot, seen))
                wrong = sum(bit != what for bit, what in zip(SENT, seen))
                print(f"{channel}: slots of {slot * 1e6:.0f} us, {wrong} of {BITS} bits wrong, "
                      f"{capacity(slot, seen):.0f} bit/s", flush=True)
            print(f"{channel}: {best:.0f} bit/s")


if __name__ == "__main__":
    main()
