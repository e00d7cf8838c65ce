"""A crowd of processes is halted while the making of a worker waits, and at no other time."""

import contextlib
import os
import signal
import tempfile
from pathlib import Path

import pytest
from service import wait_until
from test_cpu_group import LAYER, folder, workers
from test_lives import zygote_of
from warden_service import Warden, root_paths, runtime_message

CROWD = ("import os\n"
         "for _ in range({}):\n"
         "    if os.fork() == 0:\n"
         "        while True: pass\n"
         "while True: pass\n")
LIMITS = {"wall_ms": 60000, "cpu_ms": 60000, "processes": 30}


def freezer(pid):
    """The group's file that halts it, and what that says then."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if names == "freezer":
            return Path(f"/sys/fs/cgroup/freezer{path}/freezer.state"), "FROZEN\n"
    return folder(pid)[0] / "cgroup.freeze", "1\n"


@pytest.fixture
def warden(fresh):
    made = fresh(workers=2, low=1, high=1).wait_ready()
    yield made if LAYER in made.run("").layers else None
    made.close()


@contextlib.contextmanager
def nothing_forked(warden):
    """One worker is ready; the interpreter that all are forked from is stopped."""
    warden.wait_pool(lambda pool: pool["ready"] == 1)
    zygote = zygote_of(warden)
    os.kill(zygote, signal.SIGSTOP)
    yield
    os.kill(zygote, signal.SIGCONT)


def halted(warden):
    def is_halted(pid):
        file, word = freezer(pid)
        return file.read_text() == word
    with contextlib.suppress(OSError):
        return any(is_halted(pid) for pid in workers(warden))


def start(warden, processes):
    job = warden.start(CROWD.format(processes), **LIMITS)
    assert wait_until(lambda: len(workers(warden)) > processes)
    return job


def test_a_crowd_halts_while_a_worker_cannot_be_made(warden):
    if warden is None:
        return  # an ordinary user without delegation; the answer says that the layer is missing
    with nothing_forked(warden):
        job = start(warden, 20)
        assert wait_until(lambda: halted(warden))
    assert wait_until(lambda: not halted(warden))
    warden.wait_pool(lambda pool: pool["ready"] == 1)
    assert not halted(warden)
    warden.cancel(job)
    assert warden.wait(job).status == "cancelled"


def test_a_halted_crowd_can_be_ended(warden):
    if warden is None:
        return
    with nothing_forked(warden):
        job = start(warden, 20)
        assert wait_until(lambda: halted(warden))
        warden.cancel(job)
        assert warden.wait(job).status == "cancelled"
    assert warden.run("print(1)").stdout == b"1\n"


@pytest.mark.parametrize("processes", [3, 13])
def test_a_few_processes_go_on(warden, processes):
    """The more of them because node alone has as many threads."""
    if warden is None:
        return
    with nothing_forked(warden):
        job = start(warden, processes)
        assert not wait_until(lambda: halted(warden), timeout=1)
    warden.cancel(job)
    assert warden.wait(job).status == "cancelled"


def late_message(folder):
    """A program that is started ahead and does not get ready while `folder` holds a file "late"."""
    script = f"[ -e {folder}/late ] && exec sleep 600; printf R >&3; read -N 1000000 -u 3"
    plan = [("argv", "/usr/bin/bash"), ("argv", "-c"), ("argv", script),
            ("version", "/usr/bin/bash"), ("version", "--version"), ("ahead", "1")]
    return runtime_message("late", "casemate-launch", seccomp="bash", low=1, high=1, start="ahead",
                           root=f"{root_paths()},{folder}", plan=plan)


@pytest.fixture
def visible():
    """A folder that every account may read, as pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="casemate-late-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_a_program_started_ahead_may_be_late(visible):
    """As node is each time: it needs longer to get ready than a fork may."""
    runtimes = [runtime_message(low=1, high=1), late_message(visible)]
    warden = Warden(instance="late", runtimes=runtimes).wait_ready()
    if LAYER in warden.run("").layers:
        job = start(warden, 20)
        (visible / "late").touch()
        occupied = warden.start("", runtime="late", **LIMITS)
        assert wait_until(lambda: list(warden.children().values()).count("sleep") == 1)
        assert not wait_until(lambda: halted(warden), timeout=1)
        for one in (occupied, job):
            warden.cancel(one)
            assert warden.wait(one).status == "cancelled"
    warden.close()
