"""Who answers callers asks the kernel for short turns at the processor (spawn.c), and no job does."""

import ctypes
import os
import struct

import pytest
from service import Service

SYS_SCHED_GETATTR = 315
ATTRIBUTES = struct.Struct("<IIQiIQQQII")
SHORT_NS = 100_000


def turn_ns(pid):
    """0 before Linux 6.12, None of a process that has ended."""
    room = ctypes.create_string_buffer(ATTRIBUTES.size)
    if ctypes.CDLL(None).syscall(SYS_SCHED_GETATTR, pid, room, ATTRIBUTES.size, 0) != 0:
        return None
    return ATTRIBUTES.unpack(room.raw)[5]


ANSWERS = {"casemate-front", "casemate-gate", "casemate-ledger", "casemate-valida", "casemate-warden"}


@pytest.mark.may_skip
def test_turns_of_the_service_are_short():
    if turn_ns(os.getpid()) == 0:
        pytest.skip("Linux 6.12 has turns of a process's own")
    usual_ns = turn_ns(os.getpid())
    with Service() as service:
        turns = {name: {turn_ns(pid) for pid in pids} - {None}
                 for name, pids in service.children().items()}

    assert {name: turns.pop(name) for name in ANSWERS} == dict.fromkeys(ANSWERS, {SHORT_NS})
    turns.pop("warden-booster", None)  # real-time: its turns have no length
    assert {"casemate-python", "cell-init"} < turns.keys()
    assert all(found <= {usual_ns} for found in turns.values()), turns
