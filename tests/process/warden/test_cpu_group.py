"""One job takes no more processor time than its quota, and all together less than the service."""

import contextlib
from pathlib import Path

import pytest

LAYER = "cgroup_cpu"
BURN = ("import os, time\n"
        "os.fork(); os.fork()\n"
        "end = time.monotonic() + 1\n"
        "while time.monotonic() < end: pass\n")


def folder(pid):
    """Where the cpu controller has its files for the process."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if "cpu" in names.split(","):
            return Path(f"/sys/fs/cgroup/{names}{path}"), 1
        if names == "" and Path("/sys/fs/cgroup/cgroup.controllers").exists():
            found = Path(f"/sys/fs/cgroup{path}"), 2
    return found


def workers(warden):
    """{pid: (group, version)} of the processes in a slot's group."""
    found = {}
    for pid, name in warden.children().items():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            path, version = folder(pid)
            if name == "casemate-python" and path.name.startswith("w") and path.name[1:].isdigit():
                found[pid] = path, version
    return found


def with_layer(warden):
    """None for an ordinary user without delegation; the answer says that the layer is missing."""
    return warden if LAYER in warden.run("").layers else None


def of_job(warden):
    """The group of a worker that runs a job."""
    job = warden.start("import time; time.sleep(30)")
    # Not by the pool's state alone: the last one that was read may be of the job before.
    warden.wait_pool(lambda pool: pool["busy"] == 1 and workers(warden))
    return job, *next(iter(workers(warden).values()))


def quota(path, version):
    if version == 1:
        return int((path / "cpu.cfs_quota_us").read_text())
    value = (path / "cpu.max").read_text().split()[0]
    return -1 if value == "max" else int(value)


@pytest.fixture
def warden(fresh):
    def make(percent):
        made = fresh(workers=1, low=1, high=1, cpu_percent=percent).wait_ready()
        if LAYER not in made.run("").layers:
            made.close()
            return None
        return made
    return make


@pytest.mark.parametrize("percent, wanted", [(50, 50000), (0, -1)])
def test_the_quota_is_the_kernels(warden, percent, wanted):
    made = warden(percent)
    if made is None:
        return  # an ordinary user without delegation; the answer says that the layer is missing

    job, path, version = of_job(made)

    assert quota(path, version) == wanted
    weight = (path.parent / ("cpu.shares" if version == 1 else "cpu.weight")).read_text()
    assert weight == ("512\n" if version == 1 else "50\n")
    made.cancel(job)
    assert made.wait(job).status == "cancelled"


def test_jobs_have_only_jobs_beside_them(warden):
    """A group that yields gets almost nothing while a neighbour works. Beside the warden's own it
    would hold the kernel's locks that the warden waits for."""
    made = warden(0)
    if made is None:
        return

    job, path, _ = of_job(made)

    groups = {entry.name for entry in path.parent.iterdir() if entry.is_dir()}
    assert path.name in groups and all(name[1:].isdigit() for name in groups)
    made.cancel(job)
    assert made.wait(job).status == "cancelled"


def test_many_processes_share_one_quota(warden):
    made = warden(20)
    if made is None:
        return

    done = made.run(BURN)

    # A second at a fifth, one period begun more, and what the end itself takes.
    assert done.cpu_us < 600_000, done
