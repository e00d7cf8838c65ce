"""What dies, what survives, and what is left behind: nothing."""

import os
import signal
import time
from pathlib import Path

import pytest
from channel import (ROLE_GATE, SETUP_COMMIT, SETUP_FAILED, SETUP_PEER, SETUP_READY,
                     SETUP_RUNTIME, SETUP_WARDEN_CONFIG, pair, receive, send, text, u8, u32, u64)
from descriptors import count_descriptors
from slow import SLOW
from warden_service import (IS_ROOT, IS_SANITIZED, JOB_START, LEVELS, MIB, UID_COUNT, UID_FIRST,
                            Refused, Warden)

SLEEPER = "print('up', flush=True)\nimport time\ntime.sleep(60)"


def alive(pids):
    """Those that still run; a zombie waits only for its reaper and holds nothing."""
    found = set()
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        if stat[stat.rindex(")") + 2] not in "ZX":
            found.add(pid)
    return found


def all_gone(pids, timeout=5):
    deadline = time.monotonic() + timeout * SLOW
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pids)


def groups(instance):
    """The instance's control groups in every hierarchy."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup" not in line:
            continue
        for folder, folders, _ in os.walk(line.split()[4]):
            if Path(folder).name.startswith(f"{instance}-"):
                found.append(folder)
                folders.clear()
    return found


def groups_gone(instance, timeout=5):
    deadline = time.monotonic() + timeout * SLOW
    while groups(instance) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not groups(instance)


def by_name(warden, name):
    return [pid for pid, found in warden.children().items() if found == name]


def began(pid):
    """Clock ticks since the machine's start; for one that has ended meanwhile, late."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    except OSError:
        return float("inf")


def zygote_of(warden):
    """The oldest of that name: workers are forked from it later. Numbers say nothing of that,
    because they start anew at the largest."""
    return min(by_name(warden, "casemate-python"), key=began)


def test_killed_zygote_comes_back_and_running_jobs_go_on(fresh):
    warden = fresh().wait_ready()
    job = warden.start("import time\ntime.sleep(1)\nprint('survived')")
    time.sleep(0.2)
    os.kill(zygote_of(warden), signal.SIGKILL)

    assert warden.wait(job).stdout == b"survived\n"
    for number in range(6):
        assert warden.run(f"print({number})").stdout == b"%d\n" % number


def test_killed_cell_maker_ends_its_jobs_as_our_fault_and_comes_back(fresh):
    warden = fresh().wait_ready()
    job = warden.start(SLEEPER)
    time.sleep(0.3)
    os.kill(by_name(warden, "casemate-cell")[0], signal.SIGKILL)

    done = warden.wait(job, 5)
    assert done.status == "internal_error", done
    for number in range(6):
        assert warden.run(f"print({number})").stdout == b"%d\n" % number


def test_killed_zygote_and_maker_together_come_back(fresh):
    warden = fresh().wait_ready()
    os.kill(zygote_of(warden), signal.SIGKILL)
    os.kill(by_name(warden, "casemate-cell")[0], signal.SIGKILL)

    for number in range(6):
        done = warden.run(f"print({number})")
        # The first may have been in a cell when all of them died with their maker.
        assert done.stdout == b"%d\n" % number or (number, done.status) == (0, "internal_error")


def test_killed_idle_workers_are_replaced(fresh):
    warden = fresh().wait_ready()
    warden.wait_pool(lambda pool: pool["ready"] >= 2)
    for pid in by_name(warden, "casemate-python"):
        if pid != zygote_of(warden):
            os.kill(pid, signal.SIGKILL)

    for number in range(4):
        assert warden.run(f"print({number})").stdout == b"%d\n" % number


def test_a_job_that_no_worker_has_read_is_given_to_another(fresh):
    warden = fresh(workers=2, low=1, high=2).wait_ready()
    warden.wait_pool(lambda pool: pool["ready"] == 2)
    idle = [pid for pid in by_name(warden, "casemate-python") if pid != zygote_of(warden)]
    for pid in idle:
        os.kill(pid, signal.SIGSTOP)
    jobs = [warden.start(f"print({number})") for number in range(2)]
    time.sleep(0.2)
    for pid in idle:
        os.kill(pid, signal.SIGKILL)

    for number, job in enumerate(jobs):
        assert warden.wait(job).stdout == b"%d\n" % number


@pytest.mark.parametrize("end", ["kill", "hang up", "terminate"])
def test_nothing_is_left_of_a_dead_warden(fresh, end):
    warden = fresh(instance="dead").wait_ready()
    job = warden.start("import os, time\nfor _ in range(3): os.fork()\nprint('up')\ntime.sleep(60)")
    time.sleep(0.3)
    below = set(warden.children())
    assert job and len(below) > 8
    if IS_ROOT and warden.capabilities and "cgroup_pids" in warden.capabilities:
        assert groups("dead")

    if end == "kill":
        warden.process.kill()
    elif end == "terminate":
        warden.process.terminate()
    else:
        warden.supervisor.close()
    warden.process.wait(5)

    assert all_gone(below), {pid: Path(f"/proc/{pid}/status").read_text() for pid in alive(below)}
    assert groups_gone("dead"), groups("dead")


@pytest.mark.may_skip
def test_leftovers_of_a_dead_instance_are_removed(fresh):
    if not IS_ROOT:
        pytest.skip("an ordinary user has no control groups here")
    first = fresh(instance="twice").wait_ready()
    janitor = by_name(first, "warden-janitor")[0]
    os.kill(janitor, signal.SIGKILL)
    first.process.kill()
    first.process.wait(5)
    assert groups("twice")

    # In version 2 a restarted warden is born beside its supervisor, in the family's leaf.
    family = first.cgroup and first.cgroup / "twice.service"
    if family:
        family.mkdir(exist_ok=True)
    second = fresh(instance="twice", cgroup=family).wait_ready()

    assert second.run("print(1)").stdout == b"1\n"
    assert all(folder.endswith(f"-{second.process.pid}") for folder in groups("twice"))


def test_lost_ledger_ends_the_jobs_and_a_new_one_is_served(fresh):
    warden = fresh().wait_ready()
    warden.start(SLEEPER)
    time.sleep(0.3)
    busy = set(warden.children())
    warden.ledger.close()
    time.sleep(0.3)
    warden.attach_ledger()

    done = warden.run("print('again')", id=1)
    assert done.stdout == b"again\n", done
    assert len(busy & set(warden.children())) < len(busy)
    assert warden.runtime["name"] == "python" and warden.runtime["version"].startswith("3.")
    assert "seccomp" in warden.capabilities


def test_malformed_message_costs_the_ledger_its_channel_only(fresh):
    warden = fresh().wait_ready()
    send(warden.ledger, JOB_START, b"\x00" * 10, id=1)
    with pytest.raises(EOFError):
        while True:
            warden.take(5)
    warden.attach_ledger()

    assert warden.run("print(1)").stdout == b"1\n"


def test_drain_finishes_what_runs_and_refuses_the_rest(fresh):
    warden = fresh(instance="drain").wait_ready()
    job = warden.start("import time\ntime.sleep(0.6)\nprint('finished')")
    time.sleep(0.2)
    below = set(warden.children())
    warden.drain()
    refused = warden.run("print('late')")

    assert isinstance(refused, Refused)
    assert warden.wait(job).stdout == b"finished\n"
    warden.wait_drained()
    assert all_gone(below) and groups_gone("drain")


def test_drain_ends_what_runs_too_long(fresh):
    warden = fresh().wait_ready()
    job = warden.start(SLEEPER)
    time.sleep(0.3)
    warden.drain(deadline_ms=300)

    assert warden.wait(job, 3).status == "cancelled"
    warden.wait_drained()


def config(workers, memory=1024 * MIB, queue=16, instance="test", level="full"):
    return (text(instance) + u32(UID_FIRST if IS_ROOT else 0) + u32(UID_COUNT if IS_ROOT else 0)
            + u32(workers) + u32(queue) + u32(200) + u64(memory) + u64(1024) + u64(64)
            + u32(0) + u32(0) + u8(LEVELS.index(level)))


def test_reload_changes_what_can_change(fresh):
    warden = fresh(workers=2, low=1, high=1).wait_ready()
    send(warden.supervisor, SETUP_WARDEN_CONFIG, config(2, queue=0))
    send(warden.supervisor, SETUP_RUNTIME, warden.runtime_message)
    send(warden.supervisor, SETUP_COMMIT, u8(0))
    assert receive(warden.supervisor).type == SETUP_READY

    first, second = warden.start(SLEEPER), warden.start(SLEEPER)
    answers = []
    while not answers:
        warden.take()
        answers = [warden.answers[job] for job in (first, second) if job in warden.answers]
    assert isinstance(answers[0], Refused)


def test_reload_of_what_cannot_change_is_refused_by_name(fresh):
    warden = fresh().wait_ready()
    send(warden.supervisor, SETUP_WARDEN_CONFIG, config(99))
    send(warden.supervisor, SETUP_RUNTIME, warden.runtime_message)
    send(warden.supervisor, SETUP_COMMIT, u8(0))
    message = receive(warden.supervisor)

    assert message.type == SETUP_FAILED and b"workers_max" in message.body
    assert warden.run("print(1)").stdout == b"1\n"


def test_the_level_does_not_change_while_it_runs(fresh):
    warden = fresh().wait_ready()
    send(warden.supervisor, SETUP_WARDEN_CONFIG, config(4, level="landlock"))
    send(warden.supervisor, SETUP_RUNTIME, warden.runtime_message)
    send(warden.supervisor, SETUP_COMMIT, u8(0))
    message = receive(warden.supervisor)

    assert message.type == SETUP_FAILED and b"isolation.level" in message.body


def test_missing_root_refuses_to_start(fresh):
    with pytest.raises(RuntimeError, match="no-such-folder"):
        fresh(root="/usr,/no-such-folder").wait_ready()


def test_layers_cannot_be_switched_off_in_a_release(fresh):
    with pytest.raises(RuntimeError, match="test builds"):
        fresh(disabled=1 << 17).wait_ready()


def test_stranger_as_peer_ends_the_warden(fresh):
    warden = fresh().wait_ready()
    ours, theirs = pair()
    send(warden.supervisor, SETUP_PEER, u8(ROLE_GATE), [theirs.fileno()])

    assert receive(warden.supervisor).type == SETUP_FAILED
    assert warden.process.wait(5) == 1
    ours.close()
    theirs.close()


@pytest.mark.may_skip
def test_memory_of_the_warden_stays_flat(fresh):
    if IS_SANITIZED:
        pytest.skip("a sanitizer keeps what is freed")
    warden = fresh(workers=6, low=3, high=6, queue=100).wait_ready()

    def burst():
        jobs = [warden.start("print('x' * 100000); open('f', 'w').write('y' * 100000)")
                for _ in range(60)]
        for job in jobs:
            assert warden.wait(job, 60).status == "succeeded"
        time.sleep(0.3)
        status = Path(f"/proc/{warden.process.pid}/status").read_text()
        return (int(status.split("VmRSS:")[1].split()[0]),
                count_descriptors(warden.process.pid))

    burst()
    before = burst()
    for _ in range(3):
        after = burst()
    assert after[0] < before[0] + 1024, (before, after)
    assert after[1] <= before[1] + 60, (before, after)


def test_wardens_of_one_name_do_not_harm_each_other(fresh):
    first = fresh(instance="same").wait_ready()
    second = fresh(instance="same").wait_ready()

    assert isinstance(first, Warden)
    assert first.run("print(1)").stdout == second.run("print(1)").stdout == b"1\n"


@pytest.mark.may_skip
def test_required_layer_that_is_missing_refuses_to_start_by_name(fresh):
    if IS_ROOT:
        pytest.skip("as root every layer holds; run as an ordinary user")
    with pytest.raises(RuntimeError, match="own_uid"):
        fresh(required=1 << 1).wait_ready()
