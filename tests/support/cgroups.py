"""A control group of its own for each service a test starts, as systemd gives each unit one.

In version 2 a group that holds processes cannot pass controllers on, and the tests' own process
lives beside what it starts. So whoever runs the tests in a delegated group puts them into a leaf
and names the folder above it in CASEMATE_TEST_CGROUP; without it services stay where they are."""

import contextlib
import itertools
import os
from pathlib import Path

BASE = os.environ.get("CASEMATE_TEST_CGROUP")
_numbers = itertools.count(1)


def make():
    """A new folder, or None when there is nothing to make one in."""
    if BASE is None:
        return None
    folder = Path(BASE) / f"test-{os.getpid()}-{next(_numbers)}"
    folder.mkdir()
    return folder


def renew(folder):
    """The folder, or another when it passes controllers on, as after a service that stopped: nobody
    can join such a one. systemd makes one for each start."""
    if folder is not None and not (folder / "cgroup.subtree_control").read_text().strip():
        return folder
    remove(folder)
    return make()


def join(folder):
    """For a preexec_fn: the process that calls this moves into the folder."""
    if folder is not None:
        (folder / "cgroup.procs").write_text("0")


def remove(folder):
    """Removes the folder and what is left in it; a group with a process in it stays."""
    if folder is None:
        return
    for path, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(path)
