"""Starts the real service in a folder of its own and talks to it as a caller would.

Every test file of tests/api and tests/redteam uses this: real programs, real certificates, real
mTLS, a real database file, ports picked by the kernel on 127.0.0.1. Nothing is left behind:
`Service.stop` drains, checks the exit code, and the caller can ask what remained.
"""

import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import cgroups
from slow import SLOW

ROOT = Path(__file__).resolve().parents[2]
VARIANT = os.environ.get("VARIANT", "release")
BUILD = ROOT / "build" / VARIANT
# An uid without an account: the service must not need one.
ORDINARY_UID = 64123
START_TIMEOUT_S = 30 * SLOW
USERS = ["root", "ordinary"] if os.geteuid() == 0 else ["ordinary"]


def merge(base, changes):
    """`base` with `changes` laid over it, folder by folder."""
    merged = dict(base)
    for key, value in (changes or {}).items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def default_config():
    return {
        "listen": {"address": "127.0.0.1", "port": 0},
        "operations": {"address": "127.0.0.1", "port": 0},
        "tls": {
            "server_certificate": "pki/server.crt",
            "server_key": "pki/server.key",
            "client_ca": "pki/ca.crt",
            "crl": "pki/crl.pem",
        },
        "state_directory": ".",
        "pool": {"workers_max": 16, "queue_max": 256, "queue_timeout_ms": 20000},
        "runtimes": {"python": {"pool_low": 2, "pool_high": 6}},
        "drain_timeout_ms": 5000,
        "tenants": {"dev": {"concurrency_max": 512}},
        "policies": {"default": {}},
        "principals": [
            {
                "spiffe": "spiffe://casemate.local/client/dev",
                "tenant": "dev",
                "roles": ["executor", "auditor", "operator"],
                "policy": "default",
            }
        ],
    }


class Answer:
    """One HTTP answer: status, headers (lower-case), raw body, and the body as JSON."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"


class Client:
    """One kept-alive connection over mTLS."""

    def __init__(self, service, name="client", timeout=120 * SLOW):
        self.context = service.tls(name)
        self.host, self.port, self.timeout = "localhost", service.port, timeout
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                self.host, self.port, context=self.context, timeout=self.timeout
            )
        try:
            self.connection.request(method, path, body=body, headers=headers or {})
            reply = self.connection.getresponse()
            answer = Answer(reply.status, reply.getheaders(), reply.read())
        except BaseException:
            self.close()
            raise
        if reply.will_close:
            self.close()
        return answer

    def post(self, document, headers=None):
        """POST /v1/executions with any JSON document."""
        return self.request(
            "POST",
            "/v1/executions",
            json.dumps(document),
            {"Content-Type": "application/json", **(headers or {})},
        )

    def run(self, code, **fields):
        """Runs Python and returns the answer's document; a non-200 is a test failure."""
        answer = self.post({"language": "python", "code": code, **fields})
        assert answer.status == 200, answer
        return answer.json

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Service:
    """The service in a temporary folder. `user` is "root" (as this process) or "ordinary"."""

    def __init__(self, user="root", config=None, build=None):
        self.user = user
        self.folder = Path(tempfile.mkdtemp(prefix="casemate-test-"))
        self.state = self.folder / "state"
        self.build = build or BUILD
        self.config = merge(default_config(), config)
        self.process = None
        self.cgroup = None
        self.log_path = self.folder / "log"
        self._prepare()

    # --- set-up -------------------------------------------------------------------------

    def _prepare(self):
        """An ordinary user may not be able to read the checkout: give it a copy."""
        programs = self.folder / "programs"
        programs.mkdir()
        for part in ("bin", "libexec", "share"):
            shutil.copytree(self.build / part, programs / part, symlinks=False)
        self.casemate = programs / "bin" / "casemate"
        self.state.mkdir()
        (self.folder / "log").touch()
        if self.ordinary_on_root:
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, ORDINARY_UID, ORDINARY_UID)
        else:
            os.chmod(self.folder, 0o755)
        self.tool("certs", "init", "--pki", str(self.pki))
        self.write_config()

    @property
    def ordinary_on_root(self):
        return self.user == "ordinary" and os.geteuid() == 0

    @property
    def pki(self):
        return self.state / "pki"

    @property
    def config_path(self):
        return self.state / "casemate.json"

    def as_user(self, *command):
        if not self.ordinary_on_root:
            return [str(part) for part in command]
        drop = ["setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", "--clear-groups"]
        return drop + [str(part) for part in command]

    def write_config(self, changes=None):
        self.config = merge(self.config, changes)
        self.config_path.write_text(json.dumps(self.config, indent=2))
        if self.ordinary_on_root:
            os.chown(self.config_path, ORDINARY_UID, ORDINARY_UID)

    def tool(self, *arguments, check=True, **options):
        """Runs `casemate ...` as the service's user."""
        done = subprocess.run(
            self.as_user(self.casemate, *arguments),
            capture_output=True,
            text=True,
            timeout=120 * SLOW,
            cwd=self.state,
            **options,
        )
        assert not check or done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done

    # --- life ---------------------------------------------------------------------------

    def start(self, wait=True):
        assert self.process is None
        with contextlib.suppress(FileNotFoundError):
            (self.state / "listening").unlink()
        if not self.ordinary_on_root:
            self.cgroup = cgroups.renew(self.cgroup)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.as_user(self.casemate, "serve", "--config", self.config_path),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                preexec_fn=lambda: cgroups.join(self.cgroup),
            )
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=START_TIMEOUT_S):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"service exited {self.process.returncode}\n{self.log()}")
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                # The address is written last.
                if self.url and self.operations("/readyz").status == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"service not ready in {timeout} s\n{self.log()}")

    def stop(self, sig=signal.SIGTERM, timeout=30):
        """Asks it to stop and returns the exit code; kills it when it does not."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(sig)
        try:
            return process.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"service did not stop in {timeout} s\n{self.log()}")

    def remove(self):
        self.stop()
        cgroups.remove(self.cgroup)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def on_small_disk(self, size):
        """Runs with its state on a tmpfs of `size` ("12m") that can be filled; needs root."""
        disk = self.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(disk)],
                       check=True)
        try:
            subprocess.run(["cp", "-a", f"{self.state}/.", str(disk)], check=True)
            self.state = disk
            yield self.start()
        finally:
            self.stop()
            subprocess.run(["umount", "-l", str(disk)], check=False)
            self.remove()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()

    # --- what it looks like -------------------------------------------------------------

    def log(self, lines=60):
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    @property
    def url(self):
        return (self.state / "listening").read_text().strip()

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    @property
    def operations_url(self):
        return (self.state / "listening-operations").read_text().strip()

    def operations(self, path):
        """A request on the operations listener: plain HTTP, no certificate."""
        port = int(self.operations_url.rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10 * SLOW)
        try:
            connection.request("GET", path)
            reply = connection.getresponse()
            return Answer(reply.status, reply.getheaders(), reply.read())
        finally:
            connection.close()

    def tls(self, name="client"):
        context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        if name is not None:
            context.load_cert_chain(self.pki / f"{name}.crt", self.pki / f"{name}.key")
        return context

    def client(self, name="client", timeout=120 * SLOW):
        return Client(self, name, timeout)

    def children(self):
        """{program name: [pid, ...]} of everything below the supervisor, the oldest first: numbers
        say nothing of that, because they start anew at the largest."""
        found = {}
        pending = [self.process.pid] if self.process else []
        while pending:
            pid = pending.pop()
            with contextlib.suppress(OSError):
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                began = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
                found.setdefault(name, []).append((began, pid))
                for task in Path(f"/proc/{pid}/task").iterdir():
                    pending += map(int, (task / "children").read_text().split())
        return {name: [pid for _, pid in sorted(those)] for name, those in found.items()}

    def descendants(self):
        return {pid for pids in self.children().values() for pid in pids}

    def query(self, sql, *arguments):
        """Reads the audit database from outside."""
        import sqlite3

        with contextlib.closing(sqlite3.connect(self.state / "audit.db", timeout=10)) as db:
            return db.execute(sql, arguments).fetchall()


def share_out(service, items, connections, work):
    """Calls work(client, item, number) for each item, from `connections` threads that each have a
    client and a number. The first failure ends all of them, and is raised."""
    left = iter(items)
    lock = threading.Lock()
    failures = []

    def worker(number):
        client = service.client()
        try:
            while not failures:
                with lock:
                    item = next(left, None)
                if item is None:
                    return
                work(client, item, number)
        except Exception as error:
            failures.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def text(document, stream="stdout"):
    """A stream of an answer as bytes, whatever its encoding."""
    value = document[stream]
    if document[f"{stream}_encoding"] == "base64":
        return base64.b64decode(value)
    return value.encode()


def wait_until(condition, timeout=10, every=0.02):
    """True as soon as `condition()` holds; False when it did not within `timeout` seconds."""
    deadline = time.monotonic() + timeout * SLOW
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(every)
    return bool(condition())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
