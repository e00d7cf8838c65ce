"""A real casemate-warden with its real cell maker and zygote; we play supervisor and ledger."""

import contextlib
import ctypes
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import cgroups  # noqa: E402
from channel import (Reader, SETUP_COMMIT, SETUP_DRAIN, SETUP_DRAINED,  # noqa: E402
                     SETUP_FAILED, SETUP_HELLO, SETUP_PEER, SETUP_READY, SETUP_RUNTIME,
                     SETUP_WARDEN_CONFIG, ROLE_LEDGER, pair, receive, sealed, send, spawn, text,
                     u8, u32, u64)
from slow import SLOW  # noqa: E402

VARIANT = os.environ.get("VARIANT", "release")
IS_SANITIZED = VARIANT in ("asan", "ubsan", "tsan")


def program_of(variant):
    """The warden of a build. What it starts lies beside it; a sanitizer's runtime makes system
    calls that the wall kills, so a sanitized warden gets the cell maker and zygote of release."""
    folder = ROOT / "build" / variant / "libexec" / "casemate"
    if variant not in ("asan", "ubsan", "tsan"):
        return folder / "casemate-warden"
    mixed = ROOT / "build" / variant / "mixed"
    shutil.rmtree(mixed, ignore_errors=True)
    mixed.mkdir(parents=True)
    shutil.copy(folder / "casemate-warden", mixed)
    for name in ("casemate-cell", "casemate-python", "casemate-launch"):
        shutil.copy(ROOT / "build" / "release" / "libexec" / "casemate" / name, mixed)
    return mixed / "casemate-warden"


PROGRAM = program_of(VARIANT)
VERSION = "0.1.0"

JOB_START, JOB_CANCEL = 400, 401
JOB_DONE, JOB_REFUSED, WARDEN_RUNTIME, WARDEN_CAPABILITIES, WARDEN_POOL = range(420, 425)
(BUNDLE_CODE, BUNDLE_STDIN, BUNDLE_ARG, BUNDLE_ENV, BUNDLE_FILE, BUNDLE_STDOUT, BUNDLE_STDERR,
 BUNDLE_REPORT, BUNDLE_RESULT_FILE, BUNDLE_EVENT, BUNDLE_GUARD) = range(1, 12)
EVENT_KINDS = ["network_denied", "namespace_denied", "mount_denied", "process_access_denied",
               "kernel_interface_denied", "file_interface_denied", "terminal_denied",
               "administration_denied", "identity_change_denied", "program_started",
               "program_denied", "limit_reached", "processes_started", "files_left",
               "policy_denied"]
SEVERITIES = ["info", "low", "medium", "high"]
STATUSES = ["none", "succeeded", "failed", "rejected", "timed_out", "memory_exceeded",
            "output_exceeded", "killed", "cancelled", "internal_error"]
HITS = ["none", "wall", "cpu", "memory", "stdout", "stderr", "workspace"]
PROBLEMS = {"internal": 18, "queue_full": 19, "queue_timeout": 20, "draining": 22}
LAYERS = ["user_namespace", "own_uid", "mount_namespace", "minimal_root", "pid_namespace",
          "network_namespace", "ipc_namespace", "uts_namespace", "cgroup_namespace",
          "time_namespace", "cgroup_memory", "cgroup_pids", "cgroup_cpu", "rlimits",
          "no_capabilities", "no_new_privileges", "landlock", "seccomp", "denial_events",
          "core_scheduling"]
LEVELS = ["full", "landlock"]
CELL_LAYERS = {name for name in LAYERS if name.endswith("_namespace")} | {"minimal_root"}

MIB = 1 << 20
LIMITS = {"wall_ms": 10000, "cpu_ms": 10000, "memory_bytes": 256 * MIB, "output_bytes": MIB,
          "processes": 32, "open_files": 256, "workspace_bytes": 64 * MIB}
IS_ROOT = os.geteuid() == 0
# The leak check traces its own process, which the warden forbids to all below itself.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
UID_FIRST, UID_COUNT = 1900100000, 256


PLAN_END = "\x1e"
STARTS = ["fork", "exec", "ahead", "shell"]


def runtime_message(name="python", program="casemate-python", preload="", root=None,
                    seccomp="python", low=2, high=3, start="fork", plan=(), named=True,
                    missing="", compile_ms=(0, 0), limits=(0,) * 6):
    """SETUP_RUNTIME; `plan` is a list of (key, value), as runtime.json's "launch" becomes it."""
    records = "".join(f"{key} {value}{PLAN_END}" for key, value in plan)
    return (text(name) + u8(STARTS.index(start)) + text(records) + text(program) + text(preload)
            + text(root or root_paths()) + text(seccomp) + u32(low) + u32(high)
            + u32(compile_ms[0]) + u32(compile_ms[1])
            + b"".join(u64(limit) for limit in limits) + u8(named) + text(missing))


BASH = [("argv", "/usr/bin/bash"), ("argv", "{code}"), ("argv", "{args}"), ("code", "main.sh"),
        ("startup", "BASH_ENV"),
        ("env", "SHELL=/bin/bash"), ("version", "/usr/bin/bash"), ("version", "--version")]


def bash_message(**options):
    """SETUP_RUNTIME of bash, as sandbox/runtimes/bash has it."""
    options = {"low": 1, "high": 2, "start": "shell", "plan": BASH, "seccomp": "bash",
               "root": root_paths() + ",/etc/ld.so.cache", **options}
    return runtime_message("bash", "casemate-launch", **options)


def root_paths():
    """What Debian's Python needs; a path of another release is left out."""
    wanted = ["/usr", "/etc/alternatives", "/etc/python3.11", "/etc/python3.13"]
    return ",".join(path for path in wanted if os.path.isdir(path))


def bundle(entries):
    return b"".join(struct.pack("<HHIQ", kind, len(name), 0, len(data)) + name + data
                    for kind, name, data in entries)


def guard(*policies):
    """The data of BUNDLE_GUARD (schema/guard.h): policies of the shape {"name", "modules",
    "functions"}, the lists {"default", "allow", "deny"} as in a policy document."""
    def listed(names):
        entries = {name: 0 for name in names.get("allow", ())}
        entries.update({name: 1 for name in names.get("deny", ())})
        return (u8(names.get("default") == "deny") + u32(len(entries))
                + b"".join(u8(denied) + text(name) for name, denied
                           in sorted(entries.items(), key=lambda entry: entry[0].encode())))

    return u8(len(policies)) + b"".join(
        u8(len(policy["name"])) + policy["name"].encode()
        + listed(policy.get("modules", {})) + listed(policy.get("functions", {}))
        for policy in policies)


def unbundle(data):
    entries, at = [], 0
    while at < len(data):
        kind, name, zero, length = struct.unpack_from("<HHIQ", data, at)
        at += 16
        entries.append((kind, data[at:at + name], data[at + name:at + name + length]))
        at += name + length
    assert at == len(data)
    return entries


def event(data):
    """One struct event of schema/events.h."""
    reader = Reader(data)
    found = {"kind": EVENT_KINDS[reader.uint(1)], "severity": SEVERITIES[reader.uint(1)],
             "is_rest": reader.uint(1), "count": reader.uint(8), "first_us": reader.uint(8), "pid": reader.uint(4),
             "tid": reader.uint(4), "call": reader.text(), "detail": reader.text(),
             "target": reader.text()}
    reader.done()
    return found


class Done:
    """One JOB_DONE with its outcome bundle."""

    def __init__(self, message):
        reader = Reader(message.body)
        self.status = STATUSES[reader.uint(1)]
        self.limit_hit = HITS[reader.uint(1)]
        self.exit_code = int.from_bytes(reader.raw(8), "little", signed=True)
        self.signal = reader.uint(1)
        self.stdout_truncated, self.stderr_truncated, self.files_truncated = (
            bool(reader.uint(1)) for _ in range(3))
        self.wall_us, self.cpu_us, self.memory_peak_bytes = (reader.uint(8) for _ in range(3))
        self.processes_peak = reader.uint(4)
        self.queue_us, self.start_us, self.run_us, self.collect_us = (
            reader.uint(8) for _ in range(4))
        layers = reader.uint(4)
        self.layers = {name for bit, name in enumerate(LAYERS) if layers >> bit & 1}
        self.landlock_abi = reader.uint(4)
        self.cgroup_version = reader.uint(1)
        self.event_counts = {name: reader.uint(8) for name in EVENT_KINDS}
        self.events_dropped = reader.uint(8)
        reader.done()
        size = os.fstat(message.fds[0]).st_size
        self.entries = unbundle(os.pread(message.fds[0], size, 0))
        message.close()
        self.stdout = self.one(BUNDLE_STDOUT)
        self.stderr = self.one(BUNDLE_STDERR)
        self.report = self.one(BUNDLE_REPORT)
        self.files = [(name.decode(), struct.unpack_from("<QB", data), data[9:])
                      for kind, name, data in self.entries if kind == BUNDLE_RESULT_FILE]

        self.events = [event(data) for kind, _, data in self.entries if kind == BUNDLE_EVENT]

    def one(self, wanted):
        return b"".join(data for kind, _, data in self.entries if kind == wanted)

    def __repr__(self):
        return (f"{self.status} hit={self.limit_hit} exit={self.exit_code} signal={self.signal} "
                f"stdout={self.stdout[:200]!r} stderr={self.stderr[:400]!r} "
                f"report={self.report[:200]!r}")


class Refused:
    def __init__(self, message):
        reader = Reader(message.body)
        self.problem, self.retry_after_s = reader.uint(1), reader.uint(4)
        self.detail = reader.text()
        reader.done()

    def __repr__(self):
        return f"refused {self.problem}: {self.detail}"


class Warden:
    def __init__(self, workers=4, low=2, high=3, queue=16, preload="", required=0, disabled=0,
                 program=PROGRAM, instance="test", log_level=1, root=None,
                 seccomp="python", cpu_percent=200, log=None, cgroup=None, level="full",
                 workspaces="/dev/shm", runtimes=None):
        self.pool, self.capabilities, self.runtime = None, None, None
        self.level = level
        self.next_id = 1
        self.answers = {}
        self.supervisor, theirs = pair()
        theirs.setblocking(False)  # as base/chan.h makes its pairs
        self.cgroup = cgroup or cgroups.make()
        self.process = spawn(program, theirs, self.cgroup, stderr=log)
        hello = text(VERSION) + u32(0) + u32(1) + u8(log_level)
        send(self.supervisor, SETUP_HELLO, hello)
        config = (text(instance) + u32(UID_FIRST if IS_ROOT else 0)
                  + u32(UID_COUNT if IS_ROOT else 0) + u32(workers) + u32(queue) + u32(cpu_percent)
                  + u64(1024 * MIB) + u64(1024) + u64(64) + u32(required) + u32(disabled)
                  + u8(LEVELS.index(level)))
        folder = [] if level == "full" else [os.open(workspaces, os.O_RDONLY | os.O_DIRECTORY)]
        send(self.supervisor, SETUP_WARDEN_CONFIG, config, folder)
        for fd in folder:
            os.close(fd)
        self.runtime_message = runtime_message(preload=preload, root=root, seccomp=seccomp,
                                               low=low, high=high)
        for message in runtimes or [self.runtime_message]:
            send(self.supervisor, SETUP_RUNTIME, message)
        self.attach_ledger()
        send(self.supervisor, SETUP_COMMIT, u8(0))

    def attach_ledger(self):
        self.ledger, theirs = pair()
        theirs.setblocking(False)
        send(self.supervisor, SETUP_PEER, u8(ROLE_LEDGER), [theirs.fileno()])
        theirs.close()

    def wait_ready(self, timeout=30):
        message = receive(self.supervisor, timeout)
        assert message is not None, "the warden ended before READY"
        if message.type == SETUP_FAILED:
            raise RuntimeError(Reader(message.body).text())
        assert message.type == SETUP_READY
        return self

    def start(self, code, stdin=None, args=(), env=(), files=(), queue_ms=10000 * SLOW, id=None,
              runtime="python", payload=None, lists=None, **limits):
        """Sends a job; returns its number."""
        if id is None:
            id, self.next_id = self.next_id, self.next_id + 1
        entries = [(BUNDLE_CODE, b"", code.encode())]
        if stdin is not None:
            entries.append((BUNDLE_STDIN, b"", stdin))
        entries += [(BUNDLE_ARG, b"", arg.encode()) for arg in args]
        entries += [(BUNDLE_ENV, name.encode(), value.encode()) for name, value in env]
        entries += [(BUNDLE_FILE, name.encode(), data) for name, data in files]
        if lists is not None:
            entries.append((BUNDLE_GUARD, b"", lists))
        fd = sealed(bundle(entries)) if payload is None else payload
        body = text("0" * 26) + text(runtime) + u32(queue_ms)
        body += b"".join(u64(limits.pop(name, default)) for name, default in LIMITS.items())
        assert not limits, limits
        send(self.ledger, JOB_START, body, [fd], id)
        os.close(fd)
        return id

    def cancel(self, id):
        send(self.ledger, JOB_CANCEL, u8(0), id=id)

    def take(self, timeout=30):
        """One message of the ledger's channel, sorted into its place."""
        message = receive(self.ledger, timeout)
        if message is None:
            raise EOFError("the warden closed the ledger's channel")
        if message.type == JOB_DONE:
            self.answers[message.id] = Done(message)
        elif message.type == JOB_REFUSED:
            self.answers[message.id] = Refused(message)
        elif message.type == WARDEN_POOL:
            reader = Reader(message.body)
            self.pool = dict(runtime=reader.text(), ready=reader.uint(4), busy=reader.uint(4),
                             starting=reader.uint(4), queued=reader.uint(4),
                             made=reader.uint(8), failed=reader.uint(8))
        elif message.type == WARDEN_RUNTIME:
            reader = Reader(message.body)
            self.runtime = dict(name=reader.text(), version=reader.text(), modules=reader.text(),
                                limits=[reader.uint(8) for _ in range(6)],
                                missing=reader.text())
        elif message.type == WARDEN_CAPABILITIES:
            reader = Reader(message.body)
            layers = reader.uint(4)
            self.capabilities = {name for bit, name in enumerate(LAYERS) if layers >> bit & 1}
        message.close()

    def wait(self, id, timeout=30):
        deadline = time.monotonic() + timeout * SLOW
        while id not in self.answers:
            self.take(max(0.01, deadline - time.monotonic()))
        return self.answers.pop(id)

    def run(self, code, timeout=30, **options):
        return self.wait(self.start(code, **options), timeout)

    def wait_pool(self, good, timeout=20):
        deadline = time.monotonic() + timeout * SLOW
        while self.pool is None or not good(self.pool):
            self.take(max(0.01, deadline - time.monotonic()))

    def children(self):
        """pid -> command name of everything the warden started, workers and cells included."""
        found = {}
        pending = [self.process.pid]
        table = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            name = stat[stat.index("(") + 1:stat.rindex(")")]
            state, parent = stat[stat.rindex(")") + 2:].split()[:2]
            if state != "Z":
                table.setdefault(int(parent), []).append((int(entry.name), name))
        while pending:
            for pid, name in table.get(pending.pop(), []):
                found[pid] = name
                pending.append(pid)
        return found

    def program(self, name):
        """The pid of a program below the warden. Its workers have its name too, but it was first;
        pids tell nothing of that once they have wrapped."""
        def born(pid):
            try:
                stat = Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                return float("inf")
            return int(stat[stat.rindex(")") + 2:].split()[19])

        return min((pid for pid, known in self.children().items() if known == name), key=born)

    def drain(self, deadline_ms=5000):
        send(self.supervisor, SETUP_DRAIN, u32(deadline_ms))

    def wait_drained(self):
        message = receive(self.supervisor, 20)
        assert message.type == SETUP_DRAINED
        assert self.process.wait(10) == 0

    def close(self):
        self.supervisor.close()
        self.ledger.close()
        try:
            self.process.wait(10 * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        cgroups.remove(self.cgroup)


def threads_of(process, name):
    """The ids of the threads of a process whose names begin so."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return [int(task.name) for task in tasks if (task / "comm").read_text().startswith(name)]


@contextlib.contextmanager
def stopped(tids):
    """These threads of a process stand still, and its others do not."""
    libc = ctypes.CDLL(None, use_errno=True)
    seize, interrupt, detach, any_thread = 0x4206, 0x4207, 17, 0x40000000

    for tid in tids:
        assert libc.ptrace(seize, tid, None, None) == 0, os.strerror(ctypes.get_errno())
        assert libc.ptrace(interrupt, tid, None, None) == 0
        os.waitpid(tid, any_thread)
    try:
        yield
    finally:
        for tid in tids:
            libc.ptrace(detach, tid, None, None)


def copy_for_ordinary_user(folder):
    """The programs where an ordinary user can reach them, e.g. from a checkout below /root."""
    target = Path(folder) / "libexec"
    shutil.copytree(PROGRAM.parent, target)
    return target / PROGRAM.name
