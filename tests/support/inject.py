"""Lets one system call of a freshly forked process fail, by ptrace: a program of its own, because a
tracer's thread must be the one that attached.

    inject.py PID NUMBERS

Attaches to PID and takes its next children in turn: the first is left alone, the second is let fail
at its first number, the third is left alone, and so on until the numbers (comma separated, from 1)
are used up. Instead of the call the child gets EPERM, and is let go. NUMBERS = "count": the next
child's calls are counted until it waits for something. NUMBERS = "orphan": PID is killed when its
next child is born. Prints one line for each child:

    <number> <call> <time>   made to fail at the number-th call, when it was born
    <number> end <time>      ended before its number-th call
    calls <call> <call> ...  the answer to "count"
    orphan <pid>             the answer to "orphan"
"""

import contextlib
import ctypes
import errno
import os
import signal
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long

CONT, GETREGS, SETREGS, DETACH, SYSCALL = 7, 12, 13, 17, 24
SEIZE, INTERRUPT, LISTEN = 0x4206, 0x4207, 0x4208
OPTIONS = 0x1 | 0x2 | 0x4 | 0x8  # syscalls are told apart; forks of all three kinds
WALL = 0x40000000
RAX, RDI, ORIG_RAX = 10, 14, 15  # in user_regs_struct, by words
CLOSE = 3
QUIET_S = 0.5  # without another call for so long a child waits for something


def ptrace(request, pid, data=0):
    if libc.ptrace(request, pid, None, data) == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def registers(pid):
    found = (ctypes.c_ulonglong * 27)()
    ptrace(GETREGS, pid, ctypes.addressof(found))
    return found


def set_registers(pid, values):
    found = registers(pid)
    for which, value in values.items():
        found[which] = value % (1 << 64)
    ptrace(SETREGS, pid, ctypes.addressof(found))


def wait(pid, seconds=60):
    """The next stop of `pid`; None when it has ended, False after `seconds` without one."""
    end = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, WALL | os.WNOHANG)
        if found == pid:
            return status if os.WIFSTOPPED(status) else None
        if time.monotonic() > end:
            return False
        time.sleep(0.0002)


def next_child(parent, is_killed=False):
    """Lets the parent run until it forks; returns the stopped child. The parent goes on, or dies
    before it has made another call."""
    while True:
        status = wait(parent, 3600)
        if status is None:
            sys.exit("the parent ended")
        event = status >> 16
        if event in (1, 2, 3):
            child = ctypes.c_ulong()
            ptrace(0x4201, parent, ctypes.addressof(child))  # GETEVENTMSG
            wait(child.value)
            if is_killed:
                kill(parent)
            else:
                ptrace(CONT, parent)
            return child.value
        stopped_by = os.WSTOPSIG(status)
        ptrace(CONT, parent, 0 if event else stopped_by)


def step_to_call(pid, seconds=60):
    """Runs the child to the entry of its next call: its number, or None when it ended or waits."""
    while True:
        ptrace(SYSCALL, pid)
        status = wait(pid, seconds)
        if not status:
            return None
        if os.WSTOPSIG(status) == signal.SIGTRAP | 0x80:
            return registers(pid)[ORIG_RAX]


def finish_call(pid, seconds=10):
    ptrace(SYSCALL, pid)
    return wait(pid, seconds)


def let_fail(pid, number):
    try:
        for _ in range(number - 1):
            if step_to_call(pid) is None or not finish_call(pid):
                return "end"
        call = step_to_call(pid)
        if call is None:
            return "end"
        # close(-1) in its place, which every list allows: the number -1 would be one more call
        # that a seccomp program judges, and that of a cell's init kills for it.
        first = registers(pid)[RDI]
        set_registers(pid, {ORIG_RAX: CLOSE, RDI: -1})
        if not finish_call(pid):
            return "end"
        set_registers(pid, {RAX: -errno.EPERM, RDI: first})
        ptrace(DETACH, pid)
        return str(call)
    except ProcessLookupError:  # killed meanwhile
        return "end"


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def count(pid):
    calls = []
    while (call := step_to_call(pid)) is not None:
        calls.append(str(call))
        if not finish_call(pid, QUIET_S):
            break
    ptrace(INTERRUPT, pid)
    wait(pid)
    ptrace(DETACH, pid)
    return calls


def main():
    parent, numbers = int(sys.argv[1]), sys.argv[2]
    ptrace(SEIZE, parent, OPTIONS)
    print("attached", flush=True)
    if numbers == "count":
        print("calls", *count(next_child(parent)), flush=True)
        return
    if numbers == "orphan":
        child = next_child(parent, is_killed=True)
        ptrace(DETACH, child)
        print("orphan", child, flush=True)
        return
    for number in numbers.split(","):
        ptrace(DETACH, next_child(parent))
        child, moment = next_child(parent), time.time()
        call = let_fail(child, int(number))
        if call == "end":
            kill(child)  # else it would hang in our hands
        print(number, call, f"{moment:.3f}", flush=True)


main()
