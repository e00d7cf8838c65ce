"""Whichever system call of a worker's or a cell's set-up fails, no job meets a wall with a hole: the
worker is given up with an error that names the step, or the call was one that nothing rests on, and
then every layer is there and holds."""

import os
import re
import subprocess
import sys
import threading
from datetime import datetime, timezone

import pytest
from service import wait_until
from slow import SLOW
from warden_service import ROOT, Warden

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to trace")

INJECT = ROOT / "tests" / "support" / "inject.py"
WARDENS = 4  # side by side, because most of the time a warden waits before it tries again

# What may fail without a hole, by number, and why.
HARMLESS = {
    3: "close: of what the next step closes as a range, whose failure counts",
    12: "brk: malloc asks mmap instead",
    79: "getcwd: of a job that has begun; the longer way to prepare it asks again",
    186: "gettid: a number that only locks of the C library use",
    228: "clock_gettime: a call only where the clock cannot be read without; a time for the log",
    273: "set_robust_list: for locks shared between processes, which a worker has none of",
    318: "getrandom: the interpreter reads /dev/urandom instead",
}
# The last calls of a worker try what must be refused, and say that it is ready.
PROOFS = {41: "socket", 272: "unshare", 165: "mount", 117: "setresuid", 257: "open", 101: "ptrace",
          44: "say ready", 47: "take the job"}
PROOFS_LAST = 9
POLL = 7  # only the init of a finished cell makes it
KILLED = ("killed", "internal_error")  # by which of two deaths, both at once, is seen first

# Sees what the wall leaves, whatever the layers say of themselves.
PROBE = """
import os, socket
def tries(what):
    try: what()
    except OSError: return 'no'
    return 'YES'
print(tries(lambda: socket.socket(socket.AF_INET)), tries(lambda: os.open('/usr/x', os.O_CREAT)),
      tries(lambda: os.setresuid(0, 0, 0)), tries(lambda: os.listdir('/proc/1')),
      tries(lambda: os.chroot('/tmp')), os.getpid() < 3, len(os.listdir('/dev')) < 9,
      sorted(os.listdir('.')))
"""
HELD = b"no no no no no True True []\n"


STEP = re.compile(r'event=worker_failed .* while="[a-z ]+" why="?[^" ]')


def when(line):
    return datetime.fromisoformat(line[3:26]).replace(tzinfo=timezone.utc).timestamp()


class Injected:
    """A warden with one slot, so that its workers are made one after the other, and a tracer of
    the program that forks them."""

    def __init__(self, program, numbers, folder):
        self.log_path = folder / f"log-{numbers[0]}"
        with open(self.log_path, "wb") as log:
            self.warden = Warden(workers=1, low=1, high=1, log_level=0, log=log,
                                 instance=f"faults{numbers[0]}").wait_ready()
        self.layers = self.warden.run("").layers
        # The worker that replaces it waits for a job, so the next one made has none waiting.
        assert wait_until(lambda: self.log_path.read_text().count("event=worker_ready") == 2)
        parent = self.warden.program(program)
        self.tracer = subprocess.Popen(
            [sys.executable, INJECT, str(parent), ",".join(map(str, numbers))],
            stdout=subprocess.PIPE, text=True)
        assert self.tracer.stdout.readline() == "attached\n"
        self.jobs = []

    def run(self):
        try:
            while self.tracer.poll() is None:
                self.jobs.append(self.warden.run(PROBE, timeout=60, queue_ms=60000))
        finally:
            self.tracer.kill()

    def results(self):
        """(number, call, the line that the warden logs of that worker), one after the other. There
        is one slot, so the next line about a worker is about the one that was let go."""
        events = [(when(line), line) for line in self.log_path.read_text().splitlines()
                  if "event=worker_ready" in line or "event=worker_failed" in line]
        for line in self.tracer.stdout.read().splitlines():
            number, call, moment = line.split()
            if call != "end":
                # A millisecond: the log cuts what the tracer rounds.
                yield int(number), int(call), next(
                    (event for at, event in events if at >= float(moment) - 0.001), "no line")

    def close(self):
        self.tracer.kill()
        self.tracer.wait()
        self.warden.close()


def count_calls(program, tmp_path):
    injected = Injected(program, ["count"], tmp_path)
    try:
        injected.jobs.append(injected.warden.run(""))
        calls = injected.tracer.communicate(timeout=30 * SLOW)[0].split()[1:]
        # The tracer's interruption makes it wait again, and that call is no part of the set-up.
        while calls[-2:-1] == calls[-1:]:
            calls.pop()
        return len(calls)
    finally:
        injected.close()


@pytest.mark.parametrize("program", ["casemate-python", "casemate-cell"])
def test_no_job_runs_behind_an_incomplete_wall(program, tmp_path):
    count = count_calls(program, tmp_path)
    assert count > 100
    numbers = list(range(1, count))  # the last one is that in which it waits
    shares = [Injected(program, numbers[i::WARDENS], tmp_path) for i in range(WARDENS)]
    try:
        threads = [threading.Thread(target=share.run) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for share in shares:
            check(share, count)
    finally:
        for share in shares:
            share.close()


def test_an_init_whose_maker_dies_at_its_birth_ends_too(tmp_path):
    """Nobody above it knows of it yet, so it has to see for itself."""
    injected = Injected("casemate-cell", ["orphan"], tmp_path)
    try:
        injected.jobs.append(injected.warden.run("", timeout=60, queue_ms=60000))
        orphan = int(injected.tracer.communicate(timeout=30 * SLOW)[0].split()[1])
        assert wait_until(lambda: not os.path.exists(f"/proc/{orphan}"))
    finally:
        injected.close()


def check(share, count):
    assert share.tracer.wait() == 0
    results = list(share.results())
    # Some set-ups have a few calls fewer than the one counted; then it is the wait of a finished
    # cell's init that fails. It ends, and with it all in the cell: a job is killed, whole behind
    # its wall to the last.
    waits = [result for result in results if result[1] == POLL]
    killed = [job for job in share.jobs if getattr(job, "status", None) in KILLED]
    assert len(killed) <= len(waits) and all(HELD.startswith(job.stdout) for job in killed), killed
    for job in share.jobs:
        if job not in killed:
            assert getattr(job, "stdout", None) == HELD and job.status == "succeeded", job
            assert job.layers == share.layers
    for number, call, event in results:
        if call == POLL:
            continue
        if "event=worker_ready" in event:
            is_proof = number > count - PROOFS_LAST and call in PROOFS
            assert call in HARMLESS or is_proof, (number, call, event)
        else:
            assert STEP.search(event), (number, call, event)
