"""A job that has had much processor time gives way to those that have had none."""

import pytest
from service import wait_until
from slow import SLOW
from test_cpu_group import LAYER, workers

BUSY = "while True: pass"
# Much, then nothing: less than what an aged job is promised.
BUSY_THEN_IDLE = ("import time\n"
                  "while time.process_time() < 0.3: pass\n"
                  "time.sleep(30)\n")


@pytest.fixture
def warden(fresh):
    made = fresh(workers=1, low=1, high=1).wait_ready()
    yield made if LAYER in made.run("").layers else None
    made.close()


def yields(warden):
    for group, _ in workers(warden).values():
        return (group / "cpu.idle").read_text() == "1\n"
    return None


def test_a_busy_job_gives_way_and_one_that_waits_does_not(warden):
    if warden is None:
        return  # an ordinary user without delegation; the answer says that the layer is missing
    waiting = warden.start("import time; time.sleep(1)")
    warden.wait_pool(lambda pool: pool["busy"] == 1)
    # A slow machine needs more than a fresh job has to start one.
    assert SLOW > 1 or not yields(warden)
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
