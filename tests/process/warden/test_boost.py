"""A short job beside busy ones comes before them, and before long ones whoever they are."""

import contextlib
import os
import signal

import pytest
from service import wait_until
from test_ageing import BUSY
from test_cpu_group import with_layer, workers
from test_lives import by_name
from warden_service import IS_ROOT

SCHED_DEADLINE = 6  # sched(7); Python has no name for it
BOOSTED = SCHED_DEADLINE | os.SCHED_RESET_ON_FORK
# What its child and its thread have, and its own as soon as it is usual.
SELF = """
import os, threading, time
until = time.monotonic() + 10
pid = os.fork()
if pid == 0:
    print(os.sched_getscheduler(0), flush=True)
    os._exit(0)
os.wait()
thread = threading.Thread(target=lambda: print(os.sched_getscheduler(0)))
thread.start()
thread.join()
while os.sched_getscheduler(0) != os.SCHED_OTHER and time.monotonic() < until: pass
print(os.sched_getscheduler(0))
"""


@pytest.fixture
def warden(fresh):
    """Two workers; None for an ordinary user without groups, where nobody gives way."""
    return with_layer(fresh(workers=2, low=1, high=1).wait_ready())


def begin_busy(warden):
    job = warden.start(BUSY, wall_ms=60000, cpu_ms=60000)
    assert wait_until(lambda: any((group / "cpu.idle").read_text() == "1\n"
                                  for group, _ in workers(warden).values()))
    warden.wait_pool(lambda pool: pool["busy"] == 1 and pool["ready"] == 1)
    return job


def classes(warden):
    """Seen from outside: two milliseconds are over in no time on a machine that is emulated."""
    found = set()
    for pid in workers(warden):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found.add(os.sched_getscheduler(pid))
    return found


def is_boosted(warden):
    return wait_until(lambda: BOOSTED in classes(warden)) if IS_ROOT else classes(warden)


def test_only_root_may_boost(warden):
    if warden is not None:
        assert len(by_name(warden, "warden-booster")) == (1 if IS_ROOT else 0)


def test_where_nobody_gives_way_workers_are_ordinary_processes(fresh):
    warden = fresh(workers=2, low=2, high=2).wait_ready()
    warden.wait_pool(lambda pool: pool["ready"] == 2)

    assert classes(warden) <= {os.SCHED_OTHER}


def test_a_ready_worker_beside_a_busy_one_comes_first(fresh):
    warden = with_layer(fresh(workers=2, low=2, high=2).wait_ready())
    if warden is None:
        return
    warden.wait_pool(lambda pool: pool["ready"] == 2)
    begin_busy(warden)

    assert is_boosted(warden)


def test_so_does_one_that_is_made_beside_it_and_its_job_only_for_a_moment(warden):
    if warden is None:
        return
    begin_busy(warden)

    for _ in range(2):
        assert is_boosted(warden)
        done = warden.run(SELF)
        assert (done.status, done.stdout.split()) == ("succeeded", [b"0", b"0", b"0"]), done


def test_without_its_booster_the_warden_ends(warden):
    """A worker that is raised and never put back would get half a percent of a processor."""
    if warden is None or not IS_ROOT:
        return
    os.kill(by_name(warden, "warden-booster")[0], signal.SIGKILL)

    warden.start(BUSY, wall_ms=60000, cpu_ms=60000)

    assert warden.process.wait(10) != 0
