"""Speaks the channels of base/chan.h from Python: one SEQPACKET packet is one message.

A process test plays the neighbours of one real program:

    ours, theirs = pair()                        # a channel
    child = spawn(program, theirs)               # the program finds its end as descriptor 3
    send(ours, SETUP_HELLO, text("0.1.0") + u32(0) + u32(1) + u8(1))
    message = receive(ours)                      # .type, .id, .body, .fds
    reader = Reader(message.body); reader.text(); reader.u16(); reader.done()

Bodies are little-endian; `u8` to `u64` and `text` encode, Reader decodes, as base/wire.h does.
Message numbers are those of schema/wire/*.h.
"""

import fcntl
import os
import select
import socket
import struct
import subprocess
import time
from pathlib import Path

import cgroups
from slow import SLOW

ROOT = Path(__file__).resolve().parents[2]
VARIANT = os.environ.get("VARIANT", "release")
LIBEXEC = ROOT / "build" / VARIANT / "libexec" / "casemate"
VERSION = "0.1.0"

HEADER = struct.Struct("<HHIQ")
BODY_MAX = 60 * 1024
FDS_MAX = 12
SETUP_FD = 3
F_ADD_SEALS, ALL_SEALS = 1033, 0xF

(SETUP_HELLO, SETUP_PEER, SETUP_COMMIT, SETUP_DRAIN, SETUP_FRONT_CONFIG, SETUP_FRONT_KEYS,
 SETUP_GATE_CONFIG, SETUP_LEDGER_CONFIG, SETUP_TENANT, SETUP_PRINCIPAL, SETUP_VALIDATOR_CONFIG,
 SETUP_WARDEN_CONFIG, SETUP_RUNTIME, SETUP_READY, SETUP_FAILED, SETUP_DRAINED,
 SETUP_PEER_LOST) = range(1, 18)
ROLE_FRONT, ROLE_GATE, ROLE_LEDGER, ROLE_VALIDATOR, ROLE_WARDEN = range(1, 6)
FRONT_CONNECTION, FRONT_REFUSED, FRONT_CLOSE = range(100, 103)


def u8(value):
    return struct.pack("<B", value)


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<H", len(data)) + data


class Reader:
    """Decodes a body field by field; `done` insists that nothing is left."""

    def __init__(self, body):
        self.body, self.at = body, 0

    def raw(self, length):
        assert self.at + length <= len(self.body), "the body is too short"
        self.at += length
        return self.body[self.at - length:self.at]

    def uint(self, length):
        return int.from_bytes(self.raw(length), "little")

    def text(self):
        return self.raw(self.uint(2)).decode()

    def done(self):
        assert self.at == len(self.body), "the body is too long"


class Message:
    def __init__(self, type, id, body, fds):
        self.type, self.id, self.body, self.fds = type, id, body, fds

    def close(self):
        for fd in self.fds:
            os.close(fd)
        self.fds = []


def pair():
    """Our end and the program's; its end never blocks, as chan_pair() makes it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setblocking(False)
    return ours, theirs


def sealed(data):
    """A sealed memfd as base/memfd.h makes them; the caller closes it."""
    fd = os.memfd_create("payload", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]
    fcntl.fcntl(fd, F_ADD_SEALS, ALL_SEALS)
    return fd


def send(channel, type, body=b"", fds=(), id=0):
    packet = HEADER.pack(type, len(fds), len(body), id) + body
    socket.send_fds(channel, [packet], list(fds))


def receive(channel, timeout=10):
    """The next message, or None when the other side has closed."""
    ready, _, _ = select.select([channel], [], [], timeout * SLOW)
    assert ready, f"no message within {timeout} s"
    packet, fds, _, _ = socket.recv_fds(channel, HEADER.size + BODY_MAX, FDS_MAX)
    if not packet:
        return None
    type, fd_count, length, id = HEADER.unpack_from(packet)
    assert fd_count == len(fds) and len(packet) == HEADER.size + length
    return Message(type, id, packet[HEADER.size:], fds)


def hello(channel, uid):
    """Begins the set-up; `uid` 0: the program stays who it is."""
    send(channel, SETUP_HELLO, text(VERSION) + u32(uid) + u32(1) + u8(0))


def wait_until(condition, timeout=5):
    deadline = time.monotonic() + timeout * SLOW
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def spawn(program, theirs, cgroup=None, **options):
    """Starts the program with `theirs` as descriptor 3 and closes our copy of it."""

    def settle():
        cgroups.join(cgroup)
        os.dup2(theirs.fileno(), SETUP_FD, inheritable=True)

    process = subprocess.Popen([str(program)], pass_fds=[theirs.fileno(), SETUP_FD],
                               preexec_fn=settle, stdin=subprocess.DEVNULL, **options)
    theirs.close()
    return process
