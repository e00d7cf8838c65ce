"""One real casemate-front with a played supervisor and gate, and a small PKI."""

import contextlib
import datetime
import os
import selectors
import shutil
import socket
import ssl
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
from channel import LIBEXEC, Reader, u8, u32, wait_until  # noqa: E402

ROOT_UID = 1900000901  # no account has it
ORDINARY_UID = 64123  # neither has this one

REFUSALS = ["none", "no_certificate", "unknown_ca", "expired", "not_yet_valid", "revoked",
            "wrong_purpose", "bad_certificate", "protocol_version", "timeout", "not_tls", "other",
            "too_many"]
KINDS = ["none", "spiffe", "dns", "cn"]


def certs(*arguments):
    done = subprocess.run([str(LIBEXEC / "casemate-certs"), *map(str, arguments)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def stamp(days):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Connection:
    """What the gate got: an identity and the plaintext end."""

    def __init__(self, message):
        reader = Reader(message.body)
        self.kind = KINDS[reader.uint(1)]
        self.identity = reader.text()
        self.serial = reader.text()
        self.fingerprint = reader.raw(32)
        self.peer = reader.text()
        self.tls_version = reader.uint(2)
        reader.done()
        assert len(message.fds) == 1 and message.id > 0
        self.number = message.id
        self.stream = socket.socket(fileno=message.fds[0])
        self.stream.settimeout(20 * SLOW)


class Refused:
    def __init__(self, message):
        reader = Reader(message.body)
        self.reason = REFUSALS[reader.uint(1)]
        self.count = reader.uint(4)
        self.peer = reader.text()
        self.subject = reader.text()
        reader.done()

    def __repr__(self):
        return f"<{self.reason} x{self.count} {self.peer} {self.subject!r}>"


class Front:
    def __init__(self, pki, tls12=False, connections_max=1024, handshake_ms=5000, crl=True,
                 user=None, per_address=256):
        self.user = user if os.geteuid() == 0 else None
        self.pki = Path(pki)
        self.config = (tls12, connections_max, handshake_ms, per_address)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.log_file = tempfile.TemporaryFile()
        self.supervisor, theirs = channel.pair()
        # LeakSanitizer wants ptrace, which the confined front must not have.
        options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        self.folder = tempfile.TemporaryDirectory(prefix="casemate-front-")
        os.chmod(self.folder.name, 0o755)  # an ordinary user may not be able to read the checkout
        program = shutil.copy(LIBEXEC / "casemate-front", self.folder.name)
        who = {"user": user, "group": user, "extra_groups": []} if self.user else {}
        self.process = channel.spawn(program, theirs, stderr=self.log_file, cwd="/",
                                     env={**os.environ, "ASAN_OPTIONS": options}, **who)
        self.gate = None
        self.has_crl = crl

    # --- as the supervisor --------------------------------------------------------------

    def hello(self):
        uid = ROOT_UID if os.geteuid() == 0 and not self.user else 0
        channel.hello(self.supervisor, uid)

    def send_config(self):
        tls12, connections_max, handshake_ms, per_address = self.config
        channel.send(self.supervisor, channel.SETUP_FRONT_CONFIG,
                     u8(tls12) + u32(connections_max) + u32(handshake_ms) + u32(per_address),
                     [self.listener.fileno()])

    def send_keys(self, certificate="server.crt", key="server.key", ca="ca.crt", crl="crl.pem"):
        names = [certificate, key, ca] + ([crl] if self.has_crl else [])
        fds = [channel.sealed((self.pki / name).read_bytes()) for name in names]
        channel.send(self.supervisor, channel.SETUP_FRONT_KEYS, u8(self.has_crl), fds)
        for fd in fds:
            os.close(fd)

    def send_gate(self):
        if self.gate is not None:
            self.gate.close()
        self.gate, theirs = channel.pair()
        channel.send(self.supervisor, channel.SETUP_PEER, u8(channel.ROLE_GATE),
                     [theirs.fileno()])
        theirs.close()

    def commit(self):
        """None when the front is ready, else why not."""
        channel.send(self.supervisor, channel.SETUP_COMMIT, u8(0))
        message = channel.receive(self.supervisor, 20 * SLOW)
        assert message is not None, self.log()
        if message.type == channel.SETUP_READY:
            return None
        assert message.type == channel.SETUP_FAILED
        return Reader(message.body).text()

    def start(self):
        self.hello()
        self.send_config()
        self.send_keys()
        self.send_gate()
        assert self.commit() is None, self.log()
        return self

    def drain(self, deadline_ms):
        channel.send(self.supervisor, channel.SETUP_DRAIN, u32(deadline_ms))

    # --- as the gate --------------------------------------------------------------------

    def accepted(self, timeout=10):
        """The next connection; refusals in between are kept out."""
        while True:
            message = channel.receive(self.gate, timeout * SLOW)
            assert message is not None, self.log()
            if message.type == channel.FRONT_CONNECTION:
                return Connection(message)

    def refused(self, timeout=5):
        message = channel.receive(self.gate, timeout * SLOW)
        assert message is not None and message.type == channel.FRONT_REFUSED, self.log()
        return Refused(message)

    def told_to_close(self):
        """The number of the next connection that the gate is to close."""
        while True:
            message = channel.receive(self.gate, 10 * SLOW)
            assert message is not None, self.log()
            if message.type == channel.FRONT_CLOSE:
                return message.id

    # --- as a caller --------------------------------------------------------------------

    def context(self, name="client", folder=None):
        folder = Path(folder or self.pki)
        made = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        if name is not None:
            made.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
        return made

    def plain(self, source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20 * SLOW,
                                        source_address=(source, 0))

    def connect(self, context=None):
        return (context or self.context()).wrap_socket(self.plain(), server_hostname="localhost")

    def both(self, context=None):
        """A caller's end and the gate's end of one new connection."""
        client = self.connect(context)
        return client, self.accepted()

    def handshake_error(self, context):
        """What a refused caller sees; None when he is let in. TLS 1.3 tells him on the read."""
        try:
            with self.connect(context) as client:
                client.sendall(b"x")
                return None if client.recv(1) else "closed"
        except (ssl.SSLError, ConnectionError) as error:
            return str(error)

    # --- end ------------------------------------------------------------------------------

    def log(self):
        self.log_file.seek(0)
        return self.log_file.read().decode(errors="replace")

    def stop(self):
        self.supervisor.close()
        try:
            self.process.wait(10 * SLOW)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.listener.close()
            self.folder.cleanup()
            if self.gate is not None:
                self.gate.close()
        log = self.log()
        assert "ERROR: AddressSanitizer" not in log and "runtime error" not in log, log


def in_background(work, *arguments):
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


__all__ = ["Connection", "Front", "Refused", "certs", "channel", "contextlib",
           "in_background", "selectors", "stamp", "time", "wait_until"]
