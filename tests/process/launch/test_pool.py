"""Several runtimes share the slots of one warden."""

import pytest
from warden_service import Warden, bash_message, runtime_message

MESSAGES = {
    "python": lambda low, high: runtime_message(low=low, high=high),
    "bash": lambda low, high: bash_message(low=low, high=high),
}
HELLO = {"python": "print('hello')", "bash": "echo hello"}


@pytest.fixture
def make():
    made = []

    def make(workers, pools):
        messages = [MESSAGES[name](*pools[name]) for name in pools]
        made.append(Warden(instance="pool", workers=workers, runtimes=messages).wait_ready())
        return made[-1]

    yield make
    for warden in made:
        warden.close()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_each_runtime_serves_with_any_number_of_slots(make, workers):
    high = min(workers, 3)
    warden = make(workers, {"python": (high, high), "bash": (1, high)})

    for name in ("bash", "python", "bash", "bash", "python"):
        assert warden.run(HELLO[name], runtime=name).stdout == b"hello\n"


def test_low_water_is_kept_for_a_runtime_that_starts_later_in_the_list(make):
    """The first one's high water would take all slots."""
    warden = make(4, {"python": (1, 4), "bash": (2, 2)})
    ready = {}

    while ready.get("bash") != 2:
        warden.take(10)
        if warden.pool:
            ready[warden.pool["runtime"]] = warden.pool["ready"]
    assert ready["python"] <= 4


def test_a_runtime_that_is_left_out_is_told_of_and_holds_nothing_up():
    messages = [runtime_message(low=1, high=1), bash_message(missing="not there")]
    warden = Warden(instance="missing", runtimes=messages).wait_ready()
    try:
        told = {}
        while len(told) < 2:
            warden.take(10)
            if warden.runtime:
                told[warden.runtime["name"]] = warden.runtime["missing"]
        assert told == {"python": "", "bash": "not there"}
        assert warden.run("echo 1", runtime="bash").problem == 14  # unknown_runtime
        assert warden.run(HELLO["python"]).stdout == b"hello\n"
        assert "casemate-launch" not in warden.children().values()
    finally:
        warden.close()


def test_jobs_of_both_run_at_the_same_time(make):
    warden = make(4, {"python": (1, 2), "bash": (1, 2)})
    jobs = [warden.start(HELLO[name], runtime=name) for name in ["python", "bash"] * 8]

    assert all(warden.wait(job).stdout == b"hello\n" for job in jobs)
