"""The families of kernel incidents that docs/THREATS.md lists, each tried from inside a job: its
first call must not get through. The table and the attempts must name the same families."""

import re

import pytest
from warden_service import ROOT

PRELUDE = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(number),
                       *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    return got if got >= 0 else -ctypes.get_errno()
def refused(got): assert got == -errno.EPERM, got
def absent(got): assert got == -errno.ENOSYS, got
def missing(got): assert got == -errno.ENOENT, got
def closed(got): assert got == -errno.EBADF, got
"""

# Families and what a job does; `refused` wants EPERM, which is also an event.
ATTEMPTS = {
    "netlink": """
refused(call(41, 16, 3, 12))
refused(call(41, 16, 3, 6))
refused(call(41, 16, 3, 0))
""",
    "user_namespace": """
refused(call(272, 0x10000000))
refused(call(56, 0x10000011, 0, 0, 0, 0))
absent(call(435, 0, 0))
""",
    "io_uring": """
refused(call(425, 8, 0))
refused(call(426, 3, 1, 0, 0, 0))
refused(call(427, 3, 0, 0, 0))
""",
    "kernel_tls": """
refused(call(41, 2, 1, 0))
refused(call(54, 3, 6, 31, b'tls', 4))
""",
    "packet_socket": """
refused(call(41, 17, 3, 0))
""",
    "crypto_socket": """
refused(call(41, 38, 5, 0))
""",
    "vsock": """
refused(call(41, 40, 1, 0))
""",
    "rare_protocols": """
[refused(call(41, family, kind, protocol)) for family, kind, protocol in ((33, 2, 0), (21, 5, 0), (30, 1, 0), (31, 3, 1), (29, 3, 1), (2, 1, 262))]
""",
    "unix_garbage": """
import socket
a, b = socket.socketpair()
message = ctypes.create_string_buffer(56)
refused(call(46, a.fileno(), message, 0)); refused(call(307, a.fileno(), message, 1, 0))
""",
    "bpf": """
refused(call(321, 0, 0, 0))
refused(call(321, 5, 0, 0))
""",
    "mount_api": """
refused(call(165, b'none', b'/mnt', b'overlay', 0, 0))
refused(call(430, b'cgroup', 0))
refused(call(431, 3, 1, 0, 0, 0))
refused(call(428, -100, b'/', 0))
""",
    "kvm": """
missing(call(257, -100, b'/dev/kvm', 2))
""",
    "pipes": """
refused(call(275, 0, 0, 1, 0, 1, 0))
refused(call(278, 1, 0, 0, 0))
refused(call(276, 0, 1, 1, 0))
""",
    "copy_on_write": """
missing(call(257, -100, b'/proc/self/mem', 2))
refused(call(101, 5, 0, 0, 0))
refused(call(311, 2, 0, 0, 0, 0, 0))
""",
    "waitid": """
absent(call(247, 0, 0, 0, 4, 0))
""",
    "posix_timers": """
absent(call(222, 0, 0, 0))
absent(call(223, 0, 0, 0, 0))
""",
    "futex_pi": """
word = ctypes.c_int(0)
[refused(call(202, ctypes.byref(word), operation, 1, 0, ctypes.byref(word), 0)) for operation in (6, 7, 8, 11, 12, 13, 128 | 12, 256 | 11)]
""",
    "keyrings": """
refused(call(250, 1, 0))
refused(call(248, b'user', b'x', b'x', 1, -3))
refused(call(249, b'user', b'x', 0, 0))
""",
    "userfaultfd": """
refused(call(323, 0))
refused(call(323, 1))
""",
    "perf": """
refused(call(298, 0, 0, -1, -1, 0))
""",
    "handles": """
refused(call(304, -100, 0, 0))
refused(call(303, -100, b'/', 0, 0, 0))
""",
    "message_queues": """
absent(call(68, 1, 0o1600))
absent(call(69, 0, 0, 8, 0))
absent(call(240, b'q', 66, 0o600, 0))
absent(call(64, 1, 1, 0o1600))
absent(call(29, 1, 4096, 0o1600))
""",
    "extended_attributes": """
absent(call(188, b'/workspace', b'user.x', b'x', 1, 0))
absent(call(190, 0, b'user.x', b'x', 1, 0))
""",
    "old_aio": """
absent(call(206, 1, 0))
""",
    "segments": """
refused(call(154, 0, 0, 0))
refused(call(172, 3))
refused(call(173, 0, 1, 1))
""",
    "modules": """
refused(call(175, 0, 0, b''))
refused(call(313, 3, b'', 0))
refused(call(246, 0, 0, 0, 0))
""",
    "terminals": """
refused(call(16, 0, 0x5412, b'x'))
refused(call(16, 0, 0x541c, b'x'))
refused(call(16, 0, (1 << 32) | 0x5412, b'x'))
""",
    "setuid_programs": """
refused(call(117, 0, 0, 0))
refused(call(105, 0))
refused(call(126, 0, 0))
""",
    "runtime_files": """
missing(call(257, -100, b'/proc/self/exe', 0))
[closed(call(5, fd, ctypes.create_string_buffer(256))) for fd in range(3, 60)]
""",
    "foreign_numbers": """
pid = os.fork()
if pid == 0:
    libc.syscall(ctypes.c_long(0x40000000 + 41), 2, 1, 0)
    os._exit(0)
assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == 31
import mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(b"\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3")  # eax = 20, getpid; int 0x80; ret
pid = os.fork()
if pid == 0:
    ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    os._exit(0)
assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == 31
""",
}


def test_the_table_and_the_attempts_name_the_same_families():
    page = (ROOT / "docs" / "THREATS.md").read_text()
    table = page.split("## Incidents of the past")[1].split("\n## ")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.M) == list(ATTEMPTS)


@pytest.mark.parametrize("family", ATTEMPTS)
def test_the_first_call_of_a_family_is_refused(shared, family):
    done = shared.run(PRELUDE + ATTEMPTS[family])

    assert (done.status, done.exit_code) == ("succeeded", 0), done
    told = sum(count for kind, count in done.event_counts.items() if kind.endswith("_denied"))
    assert told >= ATTEMPTS[family].count("refused(")
    assert done.events_dropped == 0
