"""When the machine is out of memory the kernel takes the sandbox, never the service."""

from pathlib import Path

SERVICE = {"casemate-warden", "warden-janitor"}


def score(pid):
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def test_whatever_runs_code_is_taken_first(shared):
    shared.wait_pool(lambda pool: pool["ready"] > 0)
    own = score("self")

    below = {pid: name for pid, name in shared.children().items() if name not in SERVICE}

    assert below
    assert {score(pid) for pid in below} == {1000}, below
    assert score(shared.process.pid) == own
    janitors = [pid for pid, name in shared.children().items() if name in SERVICE]
    assert {score(pid) for pid in janitors} <= {own}


def test_a_job_cannot_lower_its_own(shared):
    done = shared.run("import os\n"
                      "try: open('/proc/self/oom_score_adj', 'w'); print('opened')\n"
                      "except OSError as error: print(type(error).__name__)\n")

    assert done.stdout == b"FileNotFoundError\n"
