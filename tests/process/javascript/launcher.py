"""Plays the launcher of node: starts it as the real one does, hands it a job, reads its report."""

import json
import os
import re
import socket
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

from slow import SLOW

ROOT = Path(__file__).resolve().parents[3]
BOOTSTRAP = ROOT / "sandbox/runtimes/javascript/bootstrap.js"
NODE = os.environ.get("NODE", "/usr/bin/node")
TIMEOUT_S = 30 * SLOW


def counted(texts):
    return struct.pack("<I", len(texts)) + b"".join(map(measured, texts))


def measured(data):
    return struct.pack("<I", len(data)) + data


class Ended:
    def __init__(self, process, stdout, stderr, report, files):
        self.status = process.returncode
        self.stdout, self.stderr = stdout.decode(), stderr.decode()
        self.raw = report
        self.files = files
        self.report = None
        if report:
            length, = struct.unpack_from("<I", report)
            assert length == len(report) - 5 and report[-1] == process.returncode
            self.report = json.loads(report[4:-1])

    @property
    def error(self):
        return self.report["error"]

    @property
    def result(self):
        return self.report["result"]

    def __repr__(self):
        return f"<{self.status} {self.stdout!r} {self.stderr!r} {self.raw!r}>"


def left_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in Path(folder).rglob("*") if path.is_file()}


class Node:
    """One node that waits for its job in a folder of its own."""

    def __init__(self, stdin=b"", files=(), flags=()):
        self.folder = tempfile.TemporaryDirectory(prefix="casemate-node-")
        for name, data in dict(files).items():
            path = Path(self.folder.name) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.given = left_in(self.folder.name)
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(TIMEOUT_S)
        given = os.memfd_create("stdin")
        os.write(given, stdin)
        os.lseek(given, 0, os.SEEK_SET)

        def place():
            # 3 may be one of the two itself.
            channel = os.dup(theirs.fileno())
            os.dup2(given, 0)
            os.dup2(channel, 3)
            os.closerange(4, 256)

        self.process = subprocess.Popen(
            [NODE, *flags, "-e", BOOTSTRAP.read_text()], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=self.folder.name, close_fds=False, preexec_fn=place,
            env={"PATH": os.environ["PATH"], "HOME": self.folder.name})
        os.close(given)
        theirs.close()

    def wait_ready(self):
        assert self.channel.recv(1) == b"R", self.process.communicate()
        return self

    def run(self, code, args=(), env=()):
        streams = {}
        readers = [threading.Thread(target=lambda name, file: streams.update({name: file.read()}),
                                    args=(name, file))
                   for name, file in (("out", self.process.stdout), ("err", self.process.stderr))]
        for reader in readers:
            reader.start()
        self.channel.sendall(counted([arg.encode() for arg in args])
                             + counted([f"{name}={value}".encode() for name, value in env])
                             + measured(code if isinstance(code, bytes) else code.encode()))
        report = b""
        while data := self.channel.recv(65536):
            report += data
        self.process.wait(TIMEOUT_S)
        for reader in readers:
            reader.join()
        left = {name: data for name, data in left_in(self.folder.name).items()
                if self.given.get(name) != data}
        self.close()
        return Ended(self.process, streams["out"], streams["err"], report, left)

    def close(self):
        self.channel.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        self.folder.cleanup()


def run(code, stdin=b"", files=(), args=(), env=()):
    return Node(stdin, files).wait_ready().run(code, args, env)


def plain(code, stdin=b"", name="main.js"):
    """What `node main.js` does with it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_text(code)
        done = subprocess.run([NODE, name], cwd=folder, input=stdin, capture_output=True,
                              timeout=TIMEOUT_S)
        return done.returncode, re.sub(re.escape(folder), "", done.stdout.decode())
