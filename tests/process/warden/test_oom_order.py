"""When the machine is out of memory the kernel takes the sandbox, never the service.

Tried in a control group that stands for the machine: service, sandbox and a witness are in it, and
a job that may have more memory than all of it has. The witness stands for the service: it has the
service's score, and is larger than any process of the job, so that without the order it goes first.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cgroups
import pytest
from warden_service import IS_SANITIZED, Warden

SERVICE = {"casemate-warden", "warden-janitor", "warden-booster"}
FIRST_VERSION = Path("/sys/fs/cgroup/memory")
MIB = 1 << 20
MACHINE_BYTES = 512 * MIB
WITNESS_BYTES = 200 * MIB

# Twelve processes that grow together, none of them to more than 100 MiB.
HOG = """
import os, time
def grow():
    held = []
    for _ in range(25):
        held.append(b'x' * (4 << 20))
        time.sleep(0.01)
    time.sleep(20)
for _ in range(12):
    if os.fork() == 0:
        grow(); os._exit(0)
while True: os.wait()
"""


def score(pid):
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def sandbox_of(warden):
    return {pid: name for pid, name in warden.children().items() if name not in SERVICE}


def test_whatever_runs_code_has_the_highest_score(shared):
    shared.wait_pool(lambda pool: pool["ready"] > 0)
    own = score("self")

    below = sandbox_of(shared)

    assert below
    assert {score(pid) for pid in below} == {1000}, below
    assert score(shared.process.pid) == own
    helpers = [pid for pid, name in shared.children().items() if name in SERVICE]
    assert {score(pid) for pid in helpers} <= {own}


def test_a_job_cannot_lower_its_own(shared):
    done = shared.run("import os\n"
                      "try: open('/proc/self/oom_score_adj', 'w'); print('opened')\n"
                      "except OSError as error: print(type(error).__name__)\n")

    assert done.stdout == b"FileNotFoundError\n"


def own_memory_group():
    """The folder of our own memory group, and the names of its limits; None: there is none that a
    test may make groups in."""
    if cgroups.BASE is not None:
        return Path(cgroups.BASE), ("memory.max", "memory.swap.max")
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if "memory" in names.split(","):
            return (FIRST_VERSION / path.lstrip("/"),
                    ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"))
    return None


@pytest.fixture
def machine():
    """A group with little memory and no swap, emptied and removed afterwards."""
    found = own_memory_group()
    if os.geteuid() != 0 or found is None or not os.access(found[0], os.W_OK):
        pytest.skip("needs root and a memory group to stand for the machine")
    folder = found[0] / f"machine-{os.getpid()}"
    folder.mkdir()
    memory, swap = found[1]
    if not (folder / memory).exists():
        folder.rmdir()
        pytest.skip("no memory controller is passed on to this group")
    (folder / memory).write_text(str(MACHINE_BYTES))
    with contextlib.suppress(OSError):  # no swap is accounted for
        (folder / swap).write_text("0" if swap == "memory.swap.max" else str(MACHINE_BYTES))
    yield folder
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:  # jobs below it may be ending still
        cgroups.remove(folder)
        time.sleep(0.05)


@pytest.fixture
def witness(machine):
    code = f"held = b'x' * {WITNESS_BYTES}\nprint('here', flush=True)\nimport signal; signal.pause()"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                               preexec_fn=lambda: cgroups.join(machine))
    assert process.stdout.readline() == b"here\n"
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def crowded(machine, witness):
    warden = Warden(instance="crowded", cgroup=machine).wait_ready()
    warden.wait_pool(lambda pool: pool["ready"] > 0)
    yield warden
    warden.close()


def exhaust(warden):
    return warden.run(HOG, memory_bytes=1024 * MIB, wall_ms=30000, cpu_ms=30000, timeout=60)


@pytest.mark.may_skip
@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer's shadow does not fit the machine")
def test_out_of_memory_jobs_go_first_and_the_service_goes_on(crowded, witness):
    done = exhaust(crowded)

    assert done.status in ("memory_exceeded", "killed", "failed"), done
    assert witness.poll() is None
    assert crowded.process.poll() is None
    assert crowded.run("print(1)").stdout == b"1\n"


@pytest.mark.may_skip
@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer's shadow does not fit the machine")
def test_without_the_order_the_service_would_go(crowded, witness):
    """What the test above sees when the scores are not there: the largest process goes."""
    for pid in sandbox_of(crowded):
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(score(witness.pid)))

    job = crowded.start(HOG, memory_bytes=1024 * MIB, wall_ms=30000, cpu_ms=30000)

    assert witness.wait(60) == -signal.SIGKILL
    crowded.cancel(job)
    crowded.wait(job, 60)
