"""What a job tries and may not do becomes an event; the count is exact and the bound holds."""

import os

import pytest
from slow import SLOW
from warden_service import EVENT_KINDS, IS_ROOT, LAYERS, program_of, stopped, threads_of

# Calls by their number, so that no library comes in between. rax is what libc gives back.
PRELUDE = """
import ctypes, errno, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a
                                               for a in args])
    return got if got >= 0 else -ctypes.get_errno()
def refused(number, *args):
    got = call(number, *args)
    assert got == -errno.EPERM, (number, got)
"""


def events_of(warden, code, **options):
    done = warden.run(PRELUDE + code, **options)
    assert done.status == "succeeded", done
    return done


def only(done, kind):
    found = [event for event in done.events if event["kind"] == kind]
    assert len(found) == 1, (kind, done.events)
    return found[0]


# kind, severity, syscall, code, what the detail says
ATTEMPTS = [
    ("network_denied", "low", "socket", "refused(41, 2, 1, 0)", "AF_INET, SOCK_STREAM, protocol 0"),
    ("network_denied", "low", "socket", "refused(41, 40, 1, 0)", "AF_VSOCK, SOCK_STREAM"),
    ("network_denied", "low", "socket", "refused(41, 1, 0x80001, 0)", "AF_UNIX, SOCK_STREAM"),
    ("network_denied", "low", "socket", "refused(41, 1, 0x80802, 0)", "AF_UNIX, SOCK_DGRAM"),
    ("network_denied", "info", "socket", "refused(41, 1, 0x80801, 0)", "AF_UNIX, SOCK_STREAM"),
    ("network_denied", "low", "connect",
     "a = struct.pack('<H', 2) + struct.pack('>H', 443) + bytes([192, 0, 2, 7]) + bytes(8)\n"
     "refused(42, 3, a, 16)", "fd 3 to 192.0.2.7:443"),
    ("network_denied", "low", "bind",
     "a = struct.pack('<HHI', 10, 0x5000, 0) + bytes(15) + b'\\x01' + bytes(4)\n"
     "refused(49, 3, a, 28)", "fd 3 to [::1]:80"),
    ("network_denied", "low", "connect", "a = struct.pack('<H', 1) + b'\\0bus'\n"
     "refused(42, 3, a, len(a))", "fd 3 to unix:@bus"),
    ("network_denied", "low", "sendto",
     "a = struct.pack('<H', 2) + struct.pack('>H', 53) + bytes([192, 0, 2, 9]) + bytes(8)\n"
     "refused(44, 3, b'x', 1, 0, a, 16)", "fd 3 to 192.0.2.9:53"),
    ("mount_denied", "high", "mount", "refused(165, b'none', b'/mnt', b'tmpfs', 0, 0)",
     "none on /mnt, type tmpfs, flags 0"),
    ("mount_denied", "high", "chroot", "refused(161, b'/tmp/x\\n\\x07')", "/tmp/x??"),
    ("mount_denied", "high", "fsopen", "refused(430, b'ext4', 0)", "type ext4"),
    ("namespace_denied", "high", "unshare", "refused(272, 0x10020000)",
     "CLONE_NEWUSER|CLONE_NEWNS"),
    ("namespace_denied", "high", "clone", "refused(56, 0x40000011, 0, 0, 0, 0)", "CLONE_NEWNET"),
    ("namespace_denied", "high", "setns", "refused(308, 3, 0)", "fd 3"),
    ("process_access_denied", "high", "ptrace", "refused(101, 16, 1, 0, 0)",
     "request 16, process 1"),
    ("process_access_denied", "high", "process_vm_readv", "refused(310, 1, 0, 0, 0, 0, 0)",
     "process 1"),
    ("kernel_interface_denied", "high", "bpf", "refused(321, 5, 0, 0)", "command 5"),
    ("kernel_interface_denied", "high", "io_uring_setup", "refused(425, 8, 0)", "8 entries"),
    ("kernel_interface_denied", "info", "io_uring_setup", "refused(425, 256, 0)", "256 entries"),
    ("kernel_interface_denied", "high", "perf_event_open", "refused(298, 0, 0, -1, -1, 0)",
     "process 0, processor -1"),
    ("kernel_interface_denied", "high", "userfaultfd", "refused(323, 1)", "flags 0x1"),
    ("kernel_interface_denied", "high", "keyctl", "refused(250, 0, 0)", "operation 0"),
    ("kernel_interface_denied", "high", "init_module", "refused(175, 0, 0, 0)", "arguments"),
    ("kernel_interface_denied", "high", "kexec_load", "refused(246, 0, 0, 0, 0)", "arguments"),
    ("file_interface_denied", "medium", "open_by_handle_at", "refused(304, 3, 0, 0)", "arguments"),
    ("file_interface_denied", "info", "memfd_create", "refused(319, b'prog', 0)", "prog"),
    ("file_interface_denied", "info", "fcntl", "refused(72, 1, 5, 0)", "fd 1, command 5"),
    ("terminal_denied", "medium", "ioctl", "refused(16, 0, 0x5412, b'x')", "request 0x5412"),
    ("administration_denied", "medium", "reboot", "refused(169, 0, 0, 0x1234567, 0)",
     "command 0x1234567"),
    ("administration_denied", "medium", "swapon", "refused(167, b'/dev/sda', 0)", "/dev/sda"),
    ("administration_denied", "medium", "quotactl", "refused(179, 1, b'/dev/sda', 0, 0)",
     "command 0x1, /dev/sda"),
    ("identity_change_denied", "medium", "setresuid", "refused(117, 0, 0, 0)", "0, 0, 0"),
    ("identity_change_denied", "medium", "personality", "refused(135, 0x40000)", "0x40000"),
]


@pytest.mark.parametrize("kind, severity, name, code, says", ATTEMPTS,
                         ids=[f"{row[2]}-{row[0]}-{n}" for n, row in enumerate(ATTEMPTS)])
def test_a_refused_call_is_an_event(shared, kind, severity, name, code, says):
    done = events_of(shared, code)
    event = only(done, kind)

    assert (event["call"], event["severity"], event["count"]) == (name, severity, 1)
    assert says in event["detail"], event
    assert (event["pid"], event["tid"]) == (2, 2)
    assert 0 < event["first_us"] <= done.wall_us
    assert done.event_counts[kind] == 1 and done.events_dropped == 0


def test_equal_events_are_one_with_a_count(shared):
    done = events_of(shared, "for _ in range(500): refused(41, 2, 1, 0)\n"
                             "for _ in range(7): refused(41, 10, 2, 0)\n")
    found = {event["detail"]: event["count"] for event in done.events}

    assert found == {"AF_INET, SOCK_STREAM, protocol 0": 500, "AF_INET6, SOCK_DGRAM, protocol 0": 7}
    assert done.event_counts["network_denied"] == 507 and done.events_dropped == 0


def test_memory_that_cannot_be_read_is_a_question_mark(shared):
    done = events_of(shared, "refused(161, 0)\nrefused(161, 0x7ffffffff000)\n"
                             "refused(42, 3, 0xffffffffffff0000, 1 << 60)\n")

    assert only(done, "mount_denied")["detail"] == "?"
    assert only(done, "mount_denied")["count"] == 2
    assert only(done, "network_denied")["detail"] == "fd 3 to ?"


def test_more_kinds_of_attempts_than_fit_are_still_counted(shared):
    done = events_of(shared, "for n in range(1000): refused(161, b'/%d' % n)\n"
                             "refused(101, 0, 0, 0, 0)\n")

    assert done.event_counts["mount_denied"] == 1000
    assert done.event_counts["process_access_denied"] == 1
    rest = [event for event in done.events if event["is_rest"]]
    assert sum(event["count"] for event in rest) == done.events_dropped > 900
    assert sum(event["count"] for event in done.events) == 1001


def test_programs_are_noted_and_own_ones_refused(shared):
    done = events_of(shared, """
import subprocess
print(subprocess.run(["/usr/bin/env", "true"]).returncode)
for path in ("./own", "/workspace/own", "/tmp/own"):
    with open(path, "w") as file: file.write("#!/bin/sh\\nexit 0\\n")
    os.chmod(path, 0o755)
    try: subprocess.run([path])
    except PermissionError: print("refused")
try: subprocess.run(["/no/such/program"])
except FileNotFoundError: print("missing")
""")

    assert done.stdout == b"0\n" + b"refused\n" * 3 + b"missing\n"
    started = [event for event in done.events if event["kind"] == "program_started"]
    assert started[0]["target"] == "/usr/bin/env" and started[0]["detail"] == "/usr/bin/env true"
    assert started[0]["pid"] == 3 and started[0]["severity"] == "info"
    assert {event["target"] for event in started} <= {"/usr/bin/env", "/usr/bin/true", "/bin/true"}
    refused = {event["target"] for event in done.events if event["kind"] == "program_denied"}
    assert refused == {"./own", "/workspace/own", "/tmp/own"}


def test_many_programs_hide_neither_an_attempt_nor_a_limit(shared):
    """A script that starts a program for each line of a file is no rare thing."""
    done = shared.run(PRELUDE + """
import subprocess, time
for n in range(150): subprocess.run(["/usr/bin/true", str(n)])
refused(272, 0x10000000)
open("left", "w").write("x")
time.sleep(60)
""", wall_ms=20000 if SLOW > 1 else 3000)

    assert (done.status, done.limit_hit) == ("timed_out", "wall")
    assert done.event_counts["program_started"] == 150
    assert only(done, "namespace_denied")["detail"] == "CLONE_NEWUSER"
    assert only(done, "limit_reached")["target"] == "wall_ms"
    assert not only(done, "files_left")["is_rest"]


# What is executed, as the job names it, and what it does before.
NAMES = {
    "from below": ("b'../usr/bin/true'", ""),
    "a link from here": ("b'./link'", "os.symlink('/usr/bin/true', 'link')"),
    "a link by its path": ("b'/workspace/link'", "os.symlink('/usr/bin/true', 'link')"),
    "a link of strange letters": ("b'\\x01'", "os.symlink('/usr/bin/true', b'\\x01')"),
    "longer than is shown": ("b'/usr/bin/' + b'./' * 500 + b'true'", ""),
    "long and from here": ("b'./' * 500 + b'true'", "os.chdir('/usr/bin')"),
    "from the root": ("b'usr/bin/true'", "os.chdir('/')"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_program_is_noted_whatever_it_is_called(shared, name):
    path, before = NAMES[name]
    done = events_of(shared, f"{before}\npath = {path}\n" + """
pid = os.fork()
if pid == 0:
    call(59, path, struct.pack("2P", id(path) + bytes.__basicsize__ - 1, 0), 0)
    os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""")

    assert done.stdout == b"0\n"
    assert only(done, "program_started")["count"] == 1


def test_a_program_that_is_not_there_is_refused_as_the_kernel_would(shared):
    done = events_of(shared, """
def refused_by(path, error):
    got = call(59, path, 0, 0)
    assert got == -error, (path, got)
refused_by(b"/no/such", errno.ENOENT)
refused_by(b"", errno.ENOENT)
refused_by(b"/usr/bin/true/x", errno.ENOTDIR)
refused_by(b"/" + b"x" * 300, errno.ENAMETOOLONG)
refused_by(b"/" * 5000, errno.ENAMETOOLONG)
refused_by(0x1000, errno.EFAULT)
os.symlink("loop", "loop")
refused_by(b"loop", errno.ELOOP)
""")

    assert not [event for event in done.events if event["kind"].startswith("program_")]


@pytest.mark.may_skip
@pytest.mark.skipif(not IS_ROOT, reason="only root may stop a thread of the warden")
def test_a_job_whose_memory_cannot_be_read_holds_up_only_itself(fresh):
    """A job can hold the lock of its memory for as long as it likes; here the one who waits for
    it is made to wait. Limits are enforced meanwhile, and the next job in the place is served."""
    warden = fresh(workers=1, low=1, high=1, instance="held")
    warden.wait_ready()
    look = PRELUDE + "refused(161, b'/here')\nprint(1)"
    assert only(warden.run(look), "mount_denied")["detail"] == "/here"
    aside, = threads_of(warden.process, "aside")

    with stopped([aside]):
        done = warden.run(look, wall_ms=300)
        assert (done.status, done.limit_hit, done.stdout) == ("timed_out", "wall", b"")
        assert only(done, "mount_denied")["is_rest"] and done.event_counts["mount_denied"] == 1
        done = warden.run(look)
        assert (done.status, done.stdout) == ("succeeded", b"1\n")
        assert only(done, "mount_denied")["is_rest"] and done.event_counts["mount_denied"] == 1

    # What it still has to read of the first of them takes a moment.
    assert any(only(warden.run(look), "mount_denied")["detail"] == "/here" for _ in range(100))
    assert threads_of(warden.process, "aside") == [aside]


def test_a_job_of_several_processes_and_threads(shared):
    done = events_of(shared, """
import threading
def go(): refused(41, 2, 1, 0)
threads = [threading.Thread(target=go) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
pid = os.fork()
if pid == 0:
    try: refused(272, 0x20000)
    finally: os._exit(0)
os.waitpid(pid, 0)
""")

    assert done.event_counts["network_denied"] == 4
    event = only(done, "namespace_denied")
    assert event["pid"] == event["tid"] > 2
    if "cgroup_pids" in done.layers:
        assert only(done, "processes_started")["count"] >= 1


def test_what_is_left_and_what_was_reached(shared):
    done = events_of(shared, "for n in range(3): open(f'f{n}', 'w').write('x')")
    assert only(done, "files_left")["count"] == 3 and only(done, "files_left")["severity"] == "info"

    done = shared.run("import time; time.sleep(30)", wall_ms=200)
    assert only(done, "limit_reached")["target"] == "wall_ms"
    done = shared.run("while True: pass", cpu_ms=200)
    assert only(done, "limit_reached")["target"] == "cpu_ms"
    done = shared.run("while True: print('x' * 4096)", output_bytes=4096)
    assert only(done, "limit_reached")["target"] == "output_bytes"
    done = shared.run("b = bytearray(1 << 30)", memory_bytes=64 << 20)
    assert only(done, "limit_reached")["target"] == "memory_bytes"
    done = shared.run("open('big', 'wb').write(bytes(8 << 20))", workspace_bytes=1 << 20)
    assert only(done, "limit_reached")["target"] == "workspace_bytes"


def test_more_files_than_can_be_held_or_told(shared):
    done = shared.run("for n in range(300): open(f'f{n}', 'w')")
    event = only(done, "files_left")
    assert event["count"] == 256 and "has not got all" in event["detail"]

    done = shared.run("try:\n"
                      "    for n in range(10000): open(f'f{n}', 'w').close()\n"
                      "except OSError as e: assert e.errno == 28\n", wall_ms=20000)
    event = only(done, "limit_reached")
    if shared.level == "landlock":  # counted, not limited
        assert event["target"] == "workspace_bytes"
        return
    assert event["target"] == "" and "no more than 4096 files" in event["detail"]


def test_processes_beyond_the_limit_are_counted(shared):
    done = shared.run("import os, time\n"
                      "for _ in range(20):\n"
                      "    try:\n"
                      "        if os.fork() == 0: time.sleep(60)\n"
                      "    except OSError: pass\n", processes=5)

    if "cgroup_pids" in done.layers:
        event = only(done, "limit_reached")
        assert event["target"] == "processes" and event["count"] >= 10


MANY = """import os, time
started = 0
for _ in range(40):
    try:
        if os.fork() == 0: time.sleep(60)
        started += 1
    except OSError: pass
print(started)
"""


def test_of_many_processes_the_cheaper_limit_refuses_the_next(shared):
    """Were it the pids group, it would have counted, and the note say so. And it is no tighter."""
    done = shared.run(MANY, processes=16)

    assert done.stdout == b"15\n"
    if {"cgroup_pids", "rlimits"} <= set(done.layers) and done.processes_peak:
        event = only(done, "limit_reached")
        assert (event["target"], event["count"]) == ("processes", 1), event
        assert "ran at once" in event["detail"]


def test_a_job_below_its_limit_has_reached_none(shared):
    done = shared.run(MANY.replace("range(40)", "range(14)"), processes=16)

    assert done.stdout == b"14\n" and "limit_reached" not in {event["kind"] for event in done.events}


# CASEMATE_FLOOD=1000000 takes two minutes; the few of an ordinary run are rate-limited too.
FLOOD = int(os.environ.get("CASEMATE_FLOOD", "20000"))


def test_a_flood_is_answered_and_counted_to_the_last_call(shared):
    """Eight threads; the neighbours go on being served."""
    flood = shared.start(PRELUDE + f"""
import threading
def go():
    for _ in range({FLOOD // 8}): libc.syscall(41, 2, 1, 0)
threads = [threading.Thread(target=go) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""", wall_ms=300000, cpu_ms=300000)
    for _ in range(5):
        done = shared.run("print(1)")
        assert done.status == "succeeded" and not done.events, done
    done = shared.wait(flood, timeout=330)

    assert done.status == "succeeded", done
    assert done.event_counts["network_denied"] == FLOOD and done.events_dropped == 0
    assert only(done, "network_denied")["count"] == FLOOD


def test_a_job_that_is_killed_in_the_middle_of_a_flood(shared):
    done = shared.run(PRELUDE + "while True: call(41, 2, 1, 0)", wall_ms=300)

    assert (done.status, done.limit_hit) == ("timed_out", "wall")
    assert done.event_counts["network_denied"] > 100
    assert shared.run("print(1)").stdout == b"1\n"


def test_no_job_holds_the_listener(shared):
    done = events_of(shared, """
for fd in range(64):
    try: st = os.fstat(fd)
    except OSError: continue
    buffer = ctypes.create_string_buffer(80)
    # SECCOMP_IOCTL_NOTIF_RECV
    assert call(16, fd, 0xc0502100, buffer) in (-errno.ENOSYS, -errno.EPERM), fd
print([fd for fd in range(3, 62) if call(72, fd, 1, 0) >= 0])
""")

    assert done.stdout == b"[]\n"


def test_ordinary_programs_make_no_events(shared):
    done = events_of(shared, """
import asyncio, json, random, sqlite3, statistics, tempfile, threading
async def main():
    await asyncio.gather(*[asyncio.sleep(0.001) for _ in range(5)])
asyncio.run(main())
with tempfile.NamedTemporaryFile() as file: file.write(b"x")
base = sqlite3.connect(":memory:"); base.execute("create table t (a)"); base.close()
print(json.dumps({"mean": statistics.mean([1, 2, 3])}), random.random() < 1)
""")

    assert [event for event in done.events if event["severity"] != "info"] == []
    assert sum(done.event_counts[kind] for kind in EVENT_KINDS if kind.endswith("_denied")) == 0


def test_without_the_layer_nothing_is_told_and_nothing_is_possible(fresh):
    """Off: the same refusals, by the kernel alone. The probe notices by the missing event."""
    warden = fresh(disabled=1 << LAYERS.index("denial_events"), program=program_of("test"),
                   instance="quiet").wait_ready()
    done = events_of(warden, "refused(41, 2, 1, 0)\nrefused(272, 0x20000)\n")

    assert "denial_events" not in done.layers and "seccomp" in done.layers
    assert done.events == [] and not any(done.event_counts.values())
