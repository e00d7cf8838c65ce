"""One real casemate-gate with a played supervisor, front and ledger."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import channel  # noqa: E402
from slow import SLOW  # noqa: E402
from channel import (  # noqa: E402
    LIBEXEC, Reader, sealed, text, u8, u16, u32, u64, wait_until)

GATE = LIBEXEC / "casemate-gate"
ROOT_UID = 1900000902  # no account has it

(ASK_EXECUTE, ASK_EXECUTION, ASK_VIEW, ASK_METRICS, ASK_CANCEL,
 TELL_TLS_REFUSED, ASK_FILE, ASK_VALIDATE) = range(200, 208)
(ANSWER_REFUSED, ANSWER_EXECUTION, ANSWER_VIEW, ANSWER_METRICS, TELL_STATE, TELL_RUNTIME,
 TELL_CAPABILITIES, ANSWER_FILE, ANSWER_VALIDATION) = range(220, 229)
EXECUTION_ID = "01JD9Z5WJ8Q6H6T5V3R2M1K0AB"
IDENTITY = "spiffe://casemate.local/client/dev"
MEMBERS = (b'"stdout":"1\\n","stdout_encoding":"utf-8","stdout_truncated":false,"stderr":"",'
           b'"stderr_encoding":"utf-8","stderr_truncated":false,"error":null,"result":null,'
           b'"events":[],"events_dropped":0,"files":[],"files_truncated":false,'
           b'"findings":[],"findings_truncated":false,"sanitised":[]')


def problems():
    """Code, number and HTTP status of every problem, from the list the programs use."""
    source = (ROOT / "schema" / "status.h").read_text()
    rows = re.findall(r'X\([A-Z_]+, "([a-z_]+)", (\d{3}), "', source)
    return {code: (number, int(http)) for number, (code, http) in enumerate(rows, 1)}


PROBLEMS = problems()


class Question:
    """A message from the gate to the ledger."""

    def __init__(self, message):
        self.type, self.id = message.type, message.id
        reader = Reader(message.body)
        if self.type in (ASK_EXECUTE, ASK_VALIDATE, ASK_EXECUTION, ASK_VIEW, ASK_FILE):
            self.identity_kind = reader.uint(1)
            self.identity = reader.text()
            self.serial = reader.text()
            self.fingerprint = reader.raw(32)
            self.peer = reader.text()
            self.request_id = reader.text()
            self.traceparent = reader.text()
        if self.type in (ASK_EXECUTE, ASK_VALIDATE):
            self.receive_us = reader.uint(8)
            size = os.fstat(message.fds[0]).st_size
            self.body = os.pread(message.fds[0], size, 0)
            self.seals = channel.fcntl.fcntl(message.fds[0], 1034)
        elif self.type == ASK_EXECUTION:
            self.execution_id = reader.text()
        elif self.type == ASK_FILE:
            self.execution_id, self.path = reader.text(), reader.text()
            self.offset, self.length = reader.uint(8), reader.uint(8)
        elif self.type == ASK_VIEW:
            self.view = reader.uint(1)
        elif self.type == TELL_TLS_REFUSED:
            self.refusal, self.count = reader.uint(1), reader.uint(4)
            self.peer, self.subject = reader.text(), reader.text()
        else:
            reader.uint(1)
        reader.done()
        message.close()


class Answer:
    """One HTTP answer as it came over the wire."""

    def __init__(self, head, body):
        lines = head.decode("ascii").split("\r\n")
        self.line = lines[0]
        self.version, status, _ = lines[0].split(" ", 2)
        self.status = int(status)
        self.fields = [line.split(": ", 1) for line in lines[1:]]
        self.headers = {}
        for name, value in self.fields:
            assert name.lower() not in self.headers, f"{name} came twice"
            self.headers[name.lower()] = value
        self.body = body

    def __repr__(self):
        return f"{self.line} {self.headers} {self.body[:300]}"

    @property
    def json(self):
        return json.loads(self.body)

    def problem(self, code):
        number, http = PROBLEMS[code]
        assert (self.status, self.headers["content-type"]) == (
            http, "application/problem+json"), self
        document = self.json
        assert document["code"] == code and document["status"] == http, document
        assert document["type"] == f"urn:casemate:problem:{code}"
        assert document["title"] and document["detail"]
        assert document["request_id"] == self.headers["x-request-id"]
        return document


class Caller:
    """The plaintext end that the front would hold: raw bytes out, parsed answers in."""

    def __init__(self, stream):
        self.stream = stream
        self.stream.settimeout(15 * SLOW)
        self.received = b""

    def send(self, data):
        self.stream.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def _more(self):
        data = self.stream.recv(1 << 20)
        self.received += data
        return bool(data)

    def answer(self, is_head=False):
        while b"\r\n\r\n" not in self.received:
            assert self._more(), f"closed before an answer: {self.received!r}"
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        answer = Answer(head, b"")
        length = 0 if is_head or answer.status in (100, 204) else int(
            answer.headers["content-length"])
        parts, have = [self.received], len(self.received)
        while have < length:
            data = self.stream.recv(1 << 20)
            assert data, f"closed after {have} of {length} bytes"
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        answer.body, self.received = whole[:length], whole[length:]
        return answer

    def is_closed(self):
        """True when the gate closes and sends nothing else before."""
        with contextlib.suppress(ConnectionResetError):
            while self._more():
                pass
        return self.received == b""

    def close(self):
        self.stream.close()

    def request(self, method, target, headers=None, body=b"", is_head=False):
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return self.answer(is_head or method == "HEAD")

    def post(self, body=b'{"language":"python","code":"print(1)"}', headers=None):
        fields = {"Content-Type": "application/json", **(headers or {})}
        return self.request("POST", "/v1/executions", fields, body)


def execution_body(status=1, exit_code=0, signal=0, request_id="r", processes=1, cgroup=1):
    return (text(EXECUTION_ID) + text("python") + text(request_id) + u64(1767323045678)
            + u8(status) + u8(0) + u64(exit_code & (1 << 64) - 1) + u8(signal)
            + u64(412) + u64(1398) + u64(1843200) + u32(processes)
            + b"".join(u64(n) for n in (35, 61, 4, 38, 412, 55, 44, 711))
            + u32((1 << 18) - 1) + u32(7) + u8(cgroup) + u64(41) + bytes(range(32)))


class Gate:
    def __init__(self, **options):
        self.config = {"connections_max": 512, "header_ms": 10000, "body_ms": 10000,
                       "idle_ms": 30000, "body_bytes_max": 1 << 20, **options}
        self.log_file = tempfile.TemporaryFile()
        self.questions = []
        self.ledger_thread = None
        self.callers = []

    # --- the supervisor ---------------------------------------------------------------------

    def start(self, is_ready=True):
        self.launch()
        return self.begin(is_ready)

    def launch(self):
        self.setup, theirs = channel.pair()
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1"}
        self.process = channel.spawn(GATE, theirs, stderr=self.log_file, env=environment)

    def begin(self, is_ready=True):
        uid = ROOT_UID if os.geteuid() == 0 else 0
        channel.hello(self.setup, uid)
        self.configure()
        self.front = self.introduce(channel.ROLE_FRONT)
        self.ledger = self.introduce(channel.ROLE_LEDGER)
        assert self.commit() == channel.SETUP_READY, self.log()
        if is_ready:
            self.tell_ready()
        return self

    def configure(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.operations_port = listener.getsockname()[1]
        document = sealed(b'{"openapi":"3.1.0"}')
        order = ("connections_max", "header_ms", "body_ms", "idle_ms")
        body = b"".join(u32(self.config[name]) for name in order)
        channel.send(self.setup, channel.SETUP_GATE_CONFIG,
                     body + u64(self.config["body_bytes_max"]), [listener.fileno(), document])
        os.close(document)
        listener.close()

    def introduce(self, role):
        ours, theirs = channel.pair()
        theirs.setblocking(False)  # as chan_pair() makes them
        channel.send(self.setup, channel.SETUP_PEER, u8(role), [theirs.fileno()])
        theirs.close()
        return ours

    def commit(self):
        channel.send(self.setup, channel.SETUP_COMMIT, u8(0))
        return channel.receive(self.setup, 10 * SLOW).type

    def stop(self):
        for caller in self.callers:
            caller.close()
        self.setup.close()
        code = self.process.wait(10 * SLOW)
        self.front.close()
        self.ledger.close()
        if self.ledger_thread is not None:
            self.ledger_thread.join()
        log = self.log()
        assert code == 0, log
        assert "AddressSanitizer" not in log and "runtime error" not in log, log

    def log(self):
        self.log_file.seek(0)
        return self.log_file.read().decode(errors="replace")

    # --- the front --------------------------------------------------------------------------

    def caller(self, kind=1, identity=IDENTITY, number=0):
        ours, theirs = socket.socketpair()
        body = (u8(kind) + text(identity) + text("0a1b") + bytes(32) + text("127.0.0.1:5")
                + u16(0x0304))
        channel.send(self.front, channel.FRONT_CONNECTION, body, [theirs.fileno()], number)
        theirs.close()
        self.callers.append(Caller(ours))
        return self.callers[-1]

    def close_connection(self, number):
        channel.send(self.front, channel.FRONT_CLOSE, u8(0), id=number)

    def operations(self):
        self.callers.append(Caller(socket.create_connection(("127.0.0.1", self.operations_port))))
        return self.callers[-1]

    # --- the ledger -------------------------------------------------------------------------

    def tell_ready(self, is_ready=True, reason=""):
        limits = b"".join(u64(limit) for limit in (0, 0, 512 << 20, 0, 0, 0))
        channel.send(self.ledger, TELL_RUNTIME,
                     text("python") + text("3.11.2") + text("json,numpy 1.24.2") + limits + text(""))
        channel.send(self.ledger, TELL_RUNTIME,
                     text("c") + text("") + text("") + limits
                     + text("gcc is not installed"))
        channel.send(self.ledger, TELL_CAPABILITIES, u32((1 << 18) - 1) + u32(7) + u8(0))
        channel.send(self.ledger, TELL_STATE, u8(is_ready) + text(reason))

    def question(self, timeout=10):
        message = channel.receive(self.ledger, timeout * SLOW)
        return None if message is None else Question(message)

    def is_asked(self, timeout=0.3):
        return bool(channel.select.select([self.ledger], [], [], timeout)[0])

    def answer(self, type, body, id, data=None):
        fds = [] if data is None else [sealed(data)]
        channel.send(self.ledger, type, body, fds, id)
        for fd in fds:
            os.close(fd)

    def answer_execution(self, question, members=MEMBERS, **options):
        options.setdefault("request_id", getattr(question, "request_id", "r"))
        self.answer(ANSWER_EXECUTION, execution_body(**options), question.id, members)

    def answer_file(self, question, size, content=None, digest=bytes(range(32))):
        self.answer(ANSWER_FILE, u64(size) + digest, question.id, content)

    def refuse(self, question, code, retry_after_s=0, detail="why", hint="do", faults=None):
        body = u8(PROBLEMS[code][0]) + u32(retry_after_s) + text(detail) + text(hint)
        self.answer(ANSWER_REFUSED, body, question.id, faults)

    def play_ledger(self):
        """Answers every question well, in the background."""

        def serve():
            with contextlib.suppress(OSError, AssertionError, ValueError):
                while (question := self.question(600)) is not None:
                    self.questions.append(question)
                    self.serve_one(question)

        self.ledger_thread = threading.Thread(target=serve, daemon=True)
        self.ledger_thread.start()
        return self

    def serve_one(self, question):
        if question.type in (ASK_EXECUTE, ASK_EXECUTION):
            self.answer_execution(question)
        elif question.type == ASK_VIEW:
            self.answer(ANSWER_VIEW, u8(question.view) + text("dev"), question.id)
        elif question.type == ASK_METRICS:
            self.answer(ANSWER_METRICS, u8(0), question.id,
                        b"# HELP casemate_x X.\n# TYPE casemate_x counter\ncasemate_x 1\n")


__all__ = ["EXECUTION_ID", "SLOW", "wait_until"]
