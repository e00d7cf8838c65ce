"""One real casemate-ledger with a played supervisor, gate, validator and warden."""

import contextlib
import hashlib
import os
import select
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import channel  # noqa: E402
from slow import SLOW  # noqa: E402
from channel import (  # noqa: E402
    HEADER, LIBEXEC, VARIANT, ROLE_GATE, ROLE_VALIDATOR, ROLE_WARDEN, Reader, sealed, text, u8, u32, u64)

LEDGER_UID = 1900000902  # no account has it
ORDINARY_UID = 64123
USERS = ["root", "ordinary"] if os.geteuid() == 0 else ["ordinary"]

(ASK_EXECUTE, ASK_EXECUTION, ASK_VIEW, ASK_METRICS, ASK_CANCEL, TELL_TLS_REFUSED,
 ASK_FILE, ASK_VALIDATE) = range(200, 208)
(ANSWER_REFUSED, ANSWER_EXECUTION, ANSWER_VIEW, ANSWER_METRICS, TELL_STATE, TELL_RUNTIME,
 TELL_CAPABILITIES, ANSWER_FILE, ANSWER_VALIDATION) = range(220, 229)
CHECK_REQUEST, CHECK_OUTCOME, CHECK_CODE = 300, 301, 302
REQUEST_GOOD, REQUEST_BAD, OUTCOME_GOOD, OUTCOME_FILE, CODE_GOOD = range(320, 325)
JOB_START, JOB_CANCEL = 400, 401
JOB_DONE, JOB_REFUSED, WARDEN_RUNTIME, WARDEN_CAPABILITIES, WARDEN_POOL = range(420, 425)

SPIFFE, DNS, CN = 1, 2, 3
EXECUTOR, AUDITOR, OPERATOR = 1, 2, 4
LIMITS = ["wall_ms", "cpu_ms", "memory_bytes", "output_bytes", "processes", "open_files",
          "workspace_bytes"]
CEILINGS = [60000, 60000, 1 << 30, 1 << 20, 64, 512, 128 << 20]
STATUSES = ["unknown", "succeeded", "failed", "rejected", "timed_out", "memory_exceeded",
            "output_exceeded", "killed", "cancelled", "internal_error"]
PROBLEMS = ["none", "bad_request", "bad_json", "unauthenticated", "forbidden", "not_found",
            "method_not_allowed", "not_acceptable", "request_timeout", "length_required",
            "body_too_large", "unsupported_media_type", "invalid", "above_ceiling",
            "unknown_runtime", "rate_limited", "too_many_concurrent", "headers_too_large",
            "internal", "queue_full", "queue_timeout", "not_recorded", "draining", "unavailable"]

DEV = "spiffe://casemate.local/client/dev"
MEMBERS = (b'"stdout":"1\\n","stdout_encoding":"utf-8","stdout_truncated":false,"stderr":"",'
           b'"stderr_encoding":"utf-8","stderr_truncated":false,"error":null,"result":null,'
           b'"events":[],"events_dropped":0,"files":[],"files_truncated":false,'
           b'"findings":[],"findings_truncated":false,"sanitised":[]')


def read_fd(fd):
    data = os.pread(fd, os.fstat(fd).st_size, 0)
    os.close(fd)
    return data


def identity(kind=SPIFFE, name=DEV, request="req-1"):
    return (u8(kind) + text(name) + text("0a1b") + b"\x11" * 32 + text("127.0.0.1:5") +
            text(request) + text("00-" + "a" * 32 + "-" + "b" * 16 + "-01"))


class Refused:
    def __init__(self, message):
        reader = Reader(message.body)
        self.code = PROBLEMS[reader.uint(1)]
        self.retry_after = reader.uint(4)
        self.detail, self.hint = reader.text(), reader.text()
        reader.done()
        self.faults = read_fd(message.fds[0]) if message.fds else None


class Answered:
    """ANSWER_EXECUTION; equal when every field and the members are."""

    NUMBERS = [("created_ms", 8), ("status", 1), ("limit_hit", 1), ("exit_code", 8), ("signal", 1),
               ("wall_us", 8), ("cpu_us", 8), ("memory_peak_bytes", 8), ("processes_peak", 4),
               ("receive_us", 8), ("validate_us", 8), ("queue_us", 8), ("start_us", 8),
               ("run_us", 8), ("collect_us", 8), ("canonicalize_us", 8), ("total_us", 8),
               ("layers", 4), ("landlock_abi", 4), ("cgroup_version", 1), ("record_index", 8)]

    def __init__(self, message):
        reader = Reader(message.body)
        self.id, self.runtime, self.request_id = reader.text(), reader.text(), reader.text()
        for name, length in self.NUMBERS:
            setattr(self, name, reader.uint(length))
        self.record_hash = reader.raw(32)
        reader.done()
        self.members = read_fd(message.fds[0])

    def __eq__(self, other):
        return vars(self) == vars(other)


class Peer:
    """Our end of a channel to the ledger."""

    def __init__(self, ledger, role, link=0):
        self.channel, theirs = channel.pair()
        channel.send(ledger.setup, channel.SETUP_PEER, u8(role), [theirs.fileno()], link)
        theirs.close()

    def send(self, type, body=b"", *payloads, id=0):
        fds = [sealed(payload) for payload in payloads if payload is not None]
        channel.send(self.channel, type, body, fds, id)
        for fd in fds:
            os.close(fd)

    def receive(self, *types, timeout=10):
        """The next message of one of `types` (any without); others are dropped."""
        deadline = time.monotonic() + timeout * SLOW
        while True:
            message = channel.receive(self.channel, max(0.001, deadline - time.monotonic()))
            if message is None or not types or message.type in types:
                return message
            message.close()

    def is_silent(self, *types, seconds=0.15):
        """True when no message (of `types`) comes within that time."""
        try:
            message = self.receive(*types, timeout=seconds / SLOW)
        except AssertionError:
            return True
        assert message is not None, "the ledger has closed the channel"
        return False

    def has_message(self):
        return bool(select.select([self.channel], [], [], 0)[0])

    def is_dropped(self):
        """True when the ledger closes the channel."""
        with contextlib.suppress(ConnectionError):
            while True:
                message = channel.receive(self.channel)
                if message is None:
                    return True
                message.close()
        return True

    def close(self):
        self.channel.close()


class Gate(Peer):
    def __init__(self, ledger, link=0):
        super().__init__(ledger, ROLE_GATE, link)
        self.last_id = 0

    def execute(self, body=b'{"language":"python","code":"1"}', id=None, **who):
        self.last_id = id or self.last_id + 1
        self.send(ASK_EXECUTE, identity(**who) + u64(77), body, id=self.last_id)
        return self.last_id

    def validate(self, body=b'{"language":"python","code":"1"}', **who):
        self.last_id += 1
        self.send(ASK_VALIDATE, identity(**who) + u64(77), body, id=self.last_id)
        return self.last_id

    def has_answer(self):
        """True when an answer waits; what else came before it is dropped."""
        while self.has_message():
            if HEADER.unpack(self.channel.recv(HEADER.size, socket.MSG_PEEK))[0] in (
                    ANSWER_REFUSED, ANSWER_EXECUTION):
                return True
            channel.receive(self.channel).close()
        return False

    def cancel(self, id):
        self.send(ASK_CANCEL, u8(0), id=id)

    def answer(self, id=None, timeout=10):
        message = self.receive(ANSWER_REFUSED, ANSWER_EXECUTION, ANSWER_VALIDATION, timeout=timeout)
        assert message is not None, "the ledger has dropped the gate"
        assert id is None or message.id == id
        if message.type == ANSWER_VALIDATION:
            return read_fd(message.fds[0])
        return Refused(message) if message.type == ANSWER_REFUSED else Answered(message)

    def lookup(self, execution, **who):
        self.last_id += 1
        self.send(ASK_EXECUTION, identity(**who) + text(execution), id=self.last_id)
        return self.answer(self.last_id)

    def file(self, execution, path, offset=0, length=0, **who):
        """(size, SHA-256, content or None), or Refused."""
        self.last_id += 1
        self.send(ASK_FILE, identity(**who) + text(execution) + text(path) + u64(offset) +
                  u64(length), id=self.last_id)
        message = self.receive(ANSWER_REFUSED, ANSWER_FILE)
        assert message is not None and message.id == self.last_id
        if message.type == ANSWER_REFUSED:
            return Refused(message)
        reader = Reader(message.body)
        size, digest = reader.uint(8), reader.raw(32)
        reader.done()
        return size, digest, read_fd(message.fds[0]) if message.fds else None

    def view(self, view, **who):
        self.last_id += 1
        self.send(ASK_VIEW, identity(**who) + u8(view), id=self.last_id)
        message = self.receive(ANSWER_REFUSED, ANSWER_VIEW)
        return Refused(message) if message.type == ANSWER_REFUSED else message

    def metrics(self):
        self.last_id += 1
        self.send(ASK_METRICS, u8(0), id=self.last_id)
        return read_fd(self.receive(ANSWER_METRICS).fds[0]).decode()

    def state(self, wanted, timeout=10):
        """Waits until the ledger says it is (not) ready; returns the reason."""
        while True:
            message = self.receive(TELL_STATE, timeout=timeout)
            reader = Reader(message.body)
            is_ready, reason = reader.uint(1), reader.text()
            if bool(is_ready) == wanted:
                return reason


class Validator(Peer):
    def __init__(self, ledger, link=0):
        super().__init__(ledger, ROLE_VALIDATOR, link)

    def take(self, type=CHECK_REQUEST):
        """(id, payload) of the next check; `findings` is what came beside it."""
        message = self.receive(type)
        self.body = message.body
        self.findings = read_fd(message.fds[1]) if len(message.fds) > 1 else None
        return message.id, read_fd(message.fds[0])

    def good(self, id, language="python", limits=None, code=b"print(1)", padding=b"", rejected=0,
             counts=(0, 0, 0, 0), findings=None):
        asked = b"".join(u64((limits or {}).get(name, 0)) for name in LIMITS)
        payload = struct.pack("<HHIQ", 1, 0, 0, len(code)) + code + padding
        self.send(REQUEST_GOOD, text(language) + u8(rejected) + b"".join(map(u64, counts)) + asked +
                  u64(16) + u64(len(code)), payload, findings, id=id)

    def verdict(self, id, rejected=0, counts=(0, 0, 0, 0), members=b'"verdict":"accepted"',
                language="python", is_read=1):
        self.send(CODE_GOOD, text(language) + u8(is_read) + u8(rejected) + b"".join(map(u64, counts)), members, id=id)

    def bad(self, id, problem="invalid", faults=b"[]"):
        self.send(REQUEST_BAD, u8(PROBLEMS.index(problem)) + text("it is wrong") + text("fix it"),
                  faults, id=id)

    def file(self, id, path, offset, content):
        """One file of the outcome that is to be kept."""
        self.send(OUTCOME_FILE, text(path) + u64(offset) + u64(len(content)) +
                  hashlib.sha256(content).digest(), id=id)

    def outcome(self, id, members=MEMBERS, denied=0):
        self.send(OUTCOME_GOOD, u64(denied), members, id=id)


class Warden(Peer):
    def __init__(self, ledger, runtimes=("python",), layers=7, limits=(0,) * 6):
        super().__init__(ledger, ROLE_WARDEN)
        self.send(WARDEN_CAPABILITIES, u32(layers) + u32(7) + u8(1))
        for runtime in runtimes:
            self.send(WARDEN_RUNTIME, text(runtime) + text("3.11.2") + text("json,math")
                      + b"".join(u64(limit) for limit in limits) + text(""))
            self.pool(runtime, ready=4)

    def pool(self, runtime="python", ready=0, busy=0):
        self.send(WARDEN_POOL, text(runtime) + u32(ready) + u32(busy) + u32(0) + u32(0) + u64(9) +
                  u64(0))

    def take(self):
        """(id, execution id, limits) of the next job."""
        message = self.receive(JOB_START)
        reader = Reader(message.body)
        execution, _runtime, _queue_ms = reader.text(), reader.text(), reader.uint(4)
        limits = {name: reader.uint(8) for name in LIMITS}
        reader.done()
        message.close()
        return message.id, execution, limits

    def done(self, id, status="succeeded", exit_code=0, outcome=b"outcome", events=(0,) * 15,
             dropped=0):
        self.send(JOB_DONE, u8(STATUSES.index(status)) + u8(0) +
                  struct.pack("<q", exit_code) + u8(0) * 4 +
                  u64(1000) + u64(900) + u64(5 << 20) + u32(1) + u64(1) + u64(2) + u64(3) + u64(4) +
                  u32(7) + u32(7) + u8(1) + b"".join(map(u64, events)) + u64(dropped), outcome, id=id)

    def refuse(self, id, problem="queue_full", retry_after=3):
        self.send(JOB_REFUSED, u8(PROBLEMS.index(problem)) + u32(retry_after) + text("busy"), id=id)


class Ledger:
    """The process, its state folder, and the supervisor's end of its channel."""

    def __init__(self, user=USERS[0], folder=None, **config):
        self.user = user
        self.is_root = user == "root"
        self.home = Path(tempfile.mkdtemp(prefix="casemate-ledger-"))
        os.chmod(self.home, 0o755)
        self.state = Path(folder) if folder else self.home / "state"
        self.state.mkdir(exist_ok=True)
        (self.state / "pki").mkdir(mode=0o700, exist_ok=True)
        self.process, self.setup, self.log_path = None, None, self.home / "log"
        self.config = {"database": "audit.db", "retain_s": 3600, "retain_bytes": 1 << 26, "files_s": 3600,
                       "files_bytes": 1 << 26,
                       "queue_ms": 2000, "tenants": {"dev": {}},
                       "principals": [(SPIFFE, DEV, "dev", EXECUTOR | AUDITOR | OPERATOR)], **config}
        programs = self.home / "programs"
        (programs / "libexec/casemate").mkdir(parents=True)
        shutil.copy(LIBEXEC / "casemate-ledger", programs / "libexec/casemate")
        shutil.copytree(ROOT / "migrations", programs / "share/casemate/migrations")
        self.program = programs / "libexec/casemate/casemate-ledger"
        self.migrations = programs / "share/casemate/migrations"
        if self.is_root:
            os.chown(self.state, 0, LEDGER_UID)
            os.chmod(self.state, 0o1770)
        elif os.geteuid() == 0:
            for path in [self.state, self.state / "pki"]:
                os.chown(path, ORDINARY_UID, ORDINARY_UID)

    @property
    def database(self):
        return self.state / self.config["database"]

    # --- supervisor ---------------------------------------------------------------------

    def send_config(self):
        config = self.config
        fds = [os.open(self.state, os.O_RDONLY | os.O_DIRECTORY), sealed(config.get("policies", b"{}"))]
        channel.send(self.setup, channel.SETUP_LEDGER_CONFIG,
                     text(config["database"]) + u32(config["retain_s"]) +
                     u64(config["retain_bytes"]) + u32(config["files_s"]) +
                     u64(config["files_bytes"]) + u32(config["queue_ms"]), fds)
        for fd in fds:
            os.close(fd)
        for name, tenant in config["tenants"].items():
            ceilings = [tenant.get(limit, most) for limit, most in zip(LIMITS, CEILINGS)]
            channel.send(self.setup, channel.SETUP_TENANT, text(name) +
                         u32(tenant.get("rate", 0)) + u32(tenant.get("concurrency", 64)) +
                         b"".join(map(u64, ceilings)))
        for kind, pattern, tenant, roles in config["principals"]:
            channel.send(self.setup, channel.SETUP_PRINCIPAL, u8(kind) + text(pattern) +
                         text(tenant) + text("house") + u8(roles))

    def spawn(self, options=None):
        self.setup, theirs = channel.pair()
        with open(self.log_path, "ab") as log:
            options = dict(options or {}, stdout=log, stderr=log)
            if not self.is_root and os.geteuid() == 0:
                options.update(user=ORDINARY_UID, group=ORDINARY_UID, extra_groups=[])
            # A preloaded library comes before the sanitizer's runtime.
            options["env"] = {"ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0",
                              **options.pop("environment", {})}
            self.process = channel.spawn(self.program, theirs, **options)
        channel.hello(self.setup, LEDGER_UID if self.is_root else 0)
        self.send_config()

    def commit(self):
        """None when READY came; the text of FAILED otherwise."""
        channel.send(self.setup, channel.SETUP_COMMIT, u8(0))
        message = channel.receive(self.setup, 10 * SLOW)
        assert message is not None, self.log()
        if message.type == channel.SETUP_READY:
            return None
        assert message.type == channel.SETUP_FAILED
        return Reader(message.body).text()

    def start(self, **options):
        self.spawn(options)
        failed = self.commit()
        assert failed is None, (failed, self.log())
        return self

    def reload(self):
        self.send_config()
        return self.commit()

    def drain(self, deadline_ms=1000):
        channel.send(self.setup, channel.SETUP_DRAIN, u32(deadline_ms))

    def drained(self, timeout=10):
        message = channel.receive(self.setup, timeout * SLOW)
        assert message is not None and message.type == channel.SETUP_DRAINED, self.log()
        return self.process.wait(10)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.setup.close()

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.home)

    # --- neighbours ----------------------------------------------------------------------

    def peers(self, **options):
        gate, validator, warden = Gate(self), Validator(self), Warden(self, **options)
        gate.state(True)
        return gate, validator, warden

    # --- what it looks like --------------------------------------------------------------

    def log(self):
        return self.log_path.read_text(errors="replace")

    def query(self, sql, *arguments):
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as db:
            return db.execute(sql, arguments).fetchall()

    def kinds(self, execution=None):
        if execution is None:
            return [row[0] for row in self.query("SELECT kind FROM records ORDER BY idx")]
        return [row[0] for row in self.query(
            "SELECT kind FROM records WHERE execution_id = ? ORDER BY idx", execution)]

    def tool(self, *arguments):
        return subprocess.run([str(self.program), *map(str, arguments)], capture_output=True,
                              text=True, timeout=60)

    def verify(self):
        done = self.tool("verify", self.database)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def run_to_warden(gate, validator, warden, **who):
    """An execution up to the point where the warden has the job: (ask, job, execution id)."""
    ask = gate.execute(**who)
    validator.good(validator.take()[0])
    job, execution, _ = warden.take()
    return ask, job, execution


def run(gate, validator, warden, members=MEMBERS, **who):
    """A whole execution; its answer."""
    ask, job, _ = run_to_warden(gate, validator, warden, **who)
    warden.done(job)
    validator.outcome(validator.take(CHECK_OUTCOME)[0], members)
    return gate.answer(ask)


def wait_until(condition, timeout=10):
    return channel.wait_until(condition, timeout)
