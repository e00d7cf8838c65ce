"""A job that has had much processor time gives way to those that have had none."""

import os

import pytest
from service import wait_until
from test_cpu_group import with_layer, workers

BUSY = "while True: pass"
# Much, then nothing: less than what an aged job is promised.
BUSY_THEN_IDLE = ("import time\n"
                  "while time.process_time() < 0.3: pass\n"
                  "time.sleep(30)\n")


@pytest.fixture
def warden(fresh):
    return with_layer(fresh(workers=1, low=1, high=1).wait_ready())


def yields(warden):
    for group, _ in workers(warden).values():
        return (group / "cpu.idle").read_text() == "1\n"
    return None


def test_a_busy_job_gives_way_and_one_that_waits_does_not(warden):
    if warden is None:
        return
    waiting = warden.start("import time; time.sleep(2)")
    warden.wait_pool(lambda pool: pool["busy"] == 1)
    # An emulated machine (it sets SLOW) needs more than a fresh job has to start one, which is then
    # fresh again, because it waits.
    assert not yields(warden) or ("SLOW" in os.environ
                                  and wait_until(lambda: yields(warden) is False))
    assert warden.wait(waiting).status == "succeeded"

    busy = warden.start(BUSY, wall_ms=30000, cpu_ms=30000)

    assert wait_until(lambda: yields(warden))
    warden.cancel(busy)
    assert warden.wait(busy).status == "cancelled"
    warden.wait_pool(lambda pool: pool["ready"] == 1)
    assert yields(warden) is False


def test_a_job_that_got_less_than_its_share_is_fresh_again(warden):
    if warden is None:
        return
    job = warden.start(BUSY_THEN_IDLE, wall_ms=30000, cpu_ms=30000)

    assert wait_until(lambda: yields(warden))
    assert wait_until(lambda: yields(warden) is False)
    warden.cancel(job)
    assert warden.wait(job).status == "cancelled"
