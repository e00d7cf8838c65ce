"""What the zygote has loaded are sealed files of which each process has a private view: it has no
reverse map in common with its workers, in whose locks a crowd of them would make it wait."""

import fcntl
import os
import re
from pathlib import Path

import pytest

# Its stack, its own variables, libc's and the loader's, and OpenBLAS' buffer: 300 KiB. Without
# snapshots it is 50 MiB.
OWN_KIB_MAX = 1024
SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL

# Writes to an object of the zygote's, wherever the interpreter keeps it: to a number that all code
# shares, to an attribute of a module, and to a library's variable.
MEDDLE = """
import ctypes, json
ctypes.memset(id(77) + 24, 0, 1)
json.here = 1
ctypes.c_void_p.in_dll(ctypes.pythonapi, 'PyOS_InputHook').value = 8
"""
LOOK = """
import ctypes, json
print(70 + 7, hasattr(json, 'here'),
      ctypes.c_void_p.in_dll(ctypes.pythonapi, 'PyOS_InputHook').value)
"""


def areas(pid):
    """(range, name, KiB that belong to reverse maps) of each area of a process's memory."""
    text = Path(f"/proc/{pid}/smaps").read_text()
    found = []
    for area in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", text):
        head = area.splitlines()[0].split(maxsplit=5)
        own = int(re.search(r"^Anonymous: +(\d+) kB$", area, re.M)[1])
        found.append((head[0], head[5] if len(head) == 6 else "", own))
    return found


def test_the_zygote_keeps_no_part_of_what_it_has_loaded(warden):
    for _ in range(3):  # the forks write to nothing either
        assert warden.run("import pandas").status == "succeeded"

    found = areas(warden.program("casemate-python"))

    assert not [area for area in found if "snapshot" in area[1] and area[2] > 0]
    assert not [area for area in found if area[1] == "[heap]" and area[2] > 0]
    assert sum(own for _, _, own in found) <= OWN_KIB_MAX


def test_what_a_job_writes_is_its_own(warden):
    before = warden.run(LOOK).stdout

    assert warden.run(MEDDLE).status == "succeeded"

    assert before == b"77 False None\n"
    assert warden.run(LOOK).stdout == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to open another process's files")
def test_the_files_are_sealed(warden):
    pid = warden.program("casemate-python")
    snapshots = [area for area in areas(pid) if "snapshot" in area[1]]

    assert len(snapshots) > 50  # a library's variables each, heap, arenas, the interpreter's code
    for span, _, _ in snapshots:
        fd = os.open(f"/proc/{pid}/map_files/{span}", os.O_RDWR)
        assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) == SEALS
        with pytest.raises(PermissionError):
            os.pwrite(fd, b"x", 0)
        os.close(fd)
