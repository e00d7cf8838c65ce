"""`casemate redteam` against real services, and against itself.

Its probes are data (server/redteam/probes). Whole, the wall must hold against all of them. A probe
must escape when the layers that it names are gone, and every layer must be missed by a probe when
that layer alone is gone, or neither has proved anything: both need a test build, whose
configuration can switch layers off. A release build refuses such a configuration.
"""

import contextlib
import ctypes
import errno
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from service import ROOT, USERS, Service, merge

TEST_BUILD = ROOT / "build" / "test"
FAMILIES = {"files", "processes", "network", "kernel surface", "resources", "cross-job", "protocol"}
LAYER_NAMES = (json.loads((ROOT / "schema/v1/config.schema.json").read_text())
               ["properties"]["isolation"]["properties"]["layers_disabled"]["items"]["enum"])
LAYERS = len(LAYER_NAMES)
MEMFD_SECRET = 447  # its number on every processor

# Few workers and no libraries but those that probes ask for: what the wall is does not depend on
# them, and start-up does.
SMALL = {"pool": {"workers_max": 4},
         "runtimes": {"python": {"pool_low": 1, "pool_high": 2, "preload": ["numpy"]}}}


def redteam(service, *arguments, build=None, as_user=True):
    """Runs the command, by default as the service's own user."""
    command = [service.casemate if build is None else build / "bin" / "casemate", "redteam",
               "--url", service.url, "--pki", service.pki, *arguments]
    return subprocess.run(service.as_user(*command) if as_user else command, cwd=service.state,
                          capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module", params=USERS)
def whole(request):
    service = Service(user=request.param, config=SMALL)
    try:
        yield service.start()
    finally:
        service.remove()


@pytest.fixture(scope="module")
def judged(whole):
    """The run as JSON, and what it could not judge."""
    done = redteam(whole, "--json")
    return done, json.loads(done.stdout)["probes"]


def test_everything_holds(judged):
    done, probes = judged
    assert [probe for probe in probes if not probe["held"]] == []
    assert done.returncode == 0, done.stderr


def test_the_entries_are_what_they_are_said_to_be(judged):
    _, probes = judged
    for probe in probes:
        assert set(probe) == {"id", "family", "held", "saw", "layer"}
        assert probe["layer"], probe
    assert {probe["family"] for probe in probes} == FAMILIES
    assert len({probe["id"] for probe in probes}) == len(probes) >= 200


def test_only_what_the_user_lacks_is_left_out(whole, judged):
    done, probes = judged
    skipped = {line.split()[2] for line in done.stderr.splitlines()}
    # No cookies of core scheduling: a matter of the machine.
    skipped -= {"cross.core_cookie"}
    if whole.user == "root":
        assert skipped == set(), done.stderr
    # Without root: no uid of its own for each job; no control groups where none are delegated.
    assert skipped <= {"cross.own_user_of_the_host", "resources.memory_of_all_processes",
                       "resources.memory_group", "resources.pids_group", "resources.cpu_group"}
    files = {path.stem for path in (ROOT / "server/redteam/probes").glob("*.probe")}
    assert {probe["id"] for probe in probes} | skipped | {"cross.core_cookie"} == files


def test_the_table_is_for_people(whole):
    done = redteam(whole, "--only", "network.socket")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[0].split() == ["VERDICT", "PROBE", "LAYER", "TRIED:", "SAW"]
    assert lines[1].split()[:3] == ["held", "network.socket_netlink", "seccomp"]
    assert lines[-1] == "6 held, 0 did not"


def own_probe(folder, name, text):
    (folder / "prelude.py").write_text(
        (ROOT / "server/redteam/probes/prelude.py").read_text())
    (folder / f"{name}.probe").write_text(text)
    folder.chmod(0o755)
    return folder


@pytest.mark.parametrize("text,word", [
    ("=== code\nescaped('me')\n", "ESCAPED"),
    ("=== code\nprint('what?')\n", "BROKEN"),
    ("judge: differ\n=== before\nprint(1)\n=== code\nprint(1)\n", "ESCAPED"),
    ("judge: http\nexpects: 418\n=== body\n{}\n", "ESCAPED"),
    ("=== code\nopen('{drop}/mark', 'w')\n", "BROKEN"),
    ("limits: wall_ms=300\n=== code\nimport time\ntime.sleep(9)\n", "BROKEN"),
])
def test_what_does_not_hold_is_said(whole, tmp_path, text, word):
    """The command itself: an escape is an exit code of 1."""
    folder = own_probe(tmp_path, "files.mine", f"tries: it\nlayers: seccomp\n{text}")
    done = redteam(whole, "--probes", folder, as_user=False)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stdout.splitlines()[1].startswith(f"{word} "), done.stdout
    done = redteam(whole, "--probes", folder, "--json", as_user=False)
    assert done.returncode == 1
    assert [probe["held"] for probe in json.loads(done.stdout)["probes"]] == [False]


def test_a_job_that_had_none_beside_it_has_proved_nothing(tmp_path):
    """A tenant with one job at a time: the second is let in when the first has ended."""
    folder = own_probe(tmp_path, "cross.mine", "tries: it\nlayers: seccomp\n"
                       "=== beside\nimport time\ntime.sleep(1)\n=== code\nheld('nobody here')\n")
    for jobs, word, code in ((2, "held", 0), (1, "BROKEN", 1)):
        config = merge(SMALL, {"tenants": {"dev": {"concurrency_max": jobs}}})
        with Service(config=config) as service:
            done = redteam(service, "--probes", folder, as_user=False)
        assert done.stdout.splitlines()[1].startswith(f"{word} "), done.stdout
        assert done.returncode == code


@pytest.mark.parametrize("text", [
    "layers: seccomp\n=== code\nheld(1)\n",
    "tries: it\nlayers: seccomp\n",
    "tries: it\nlayers: seccomp\nwhat: no\n=== code\nheld(1)\n",
    "tries: it\nlayers: seccomp\njudge: me\n=== code\nheld(1)\n",
    "tries: it\nlayers: seccomp\n=== cod\nheld(1)\n",
])
def test_a_probe_that_is_not_understood_is_named(whole, tmp_path, text):
    done = redteam(whole, "--probes", own_probe(tmp_path, "files.mine", text), as_user=False)
    assert done.returncode == 2
    assert "files.mine" in done.stderr


def test_a_service_that_is_not_there(whole):
    done = subprocess.run([whole.casemate, "redteam", "--url", "https://localhost:1", "--pki",
                           whole.pki], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""


class Elsewhere(Service):
    """A service whose /var/tmp is not ours."""

    def as_user(self, *command):
        own = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /var/tmp && exec "$@"', "sh"]
        return [*(own if "serve" in command else []), *super().as_user(*command)]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root; run once as root")
def test_a_service_that_cannot_see_the_witnesses_has_none():
    """Such a probe could not fail: what it tries to reach is not there."""
    with Elsewhere(config=SMALL) as service:
        done = redteam(service, "--only", "files.read_host_file", as_user=False)
    assert done.returncode == 2, done.stdout
    assert done.stdout.splitlines()[1].split()[:2] == ["-", "files.read_host_file"]
    assert "no witnesses" in done.stderr


class Silent(threading.Thread):
    """A server that says what it is to the first caller, and nothing to those behind him."""

    def __init__(self, pki, is_gone):
        super().__init__(daemon=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pki / "server.crt", pki / "server.key")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self.listener.getsockname()[1]}"
        self.is_gone = is_gone
        self.start()

    def run(self):
        first = self.context.wrap_socket(self.listener.accept()[0], server_side=True)
        if self.is_gone:
            self.listener.close()
        first.recv(65536)
        first.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        with contextlib.suppress(OSError):
            while True:
                other = self.context.wrap_socket(self.listener.accept()[0], server_side=True)
                threading.Thread(target=self.hold, args=(other,), daemon=True).start()
        first.close()

    @staticmethod
    def hold(connection):
        while connection.recv(65536):
            pass
        connection.close()


@pytest.mark.parametrize("text, is_gone", [
    ("judge: http\nexpects: closed\n=== request\nGET / HTTP/1.1\n\n", False),
    ("judge: tls none\n", True),
])
def test_a_service_that_does_not_answer_has_not_refused(whole, tmp_path, text, is_gone):
    folder = own_probe(tmp_path, "protocol.mine", f"tries: it\nlayers: front\n{text}")
    silent = Silent(whole.pki, is_gone)
    done = redteam(whole, "--url", silent.url, "--probes", folder, "--json", as_user=False)
    silent.listener.close()
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert [probe["held"] for probe in json.loads(done.stdout)["probes"]] == [False]


def test_a_certificate_that_cannot_be_shown_is_not_refused(whole, tmp_path):
    shutil.copytree(whole.pki, tmp_path / "pki")
    (tmp_path / "pki" / "server.key").write_text("no key")
    done = redteam(whole, "--pki", tmp_path / "pki", "--only", "protocol.server_certificate",
                   as_user=False)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stdout.splitlines()[1].startswith("BROKEN "), done.stdout


def mark_of(process):
    """The name that the second job of a running command has given itself."""
    while process.poll() is None:
        for path in Path("/proc").glob("[0-9]*/comm"):
            with contextlib.suppress(OSError):
                name = path.read_text().strip()
                if re.fullmatch("p[0-9a-f]{8}-1", name):
                    return name
    return None


def test_a_process_that_is_left_behind_is_seen(whole, tmp_path):
    """By its name alone, so one of ours will do."""
    folder = own_probe(tmp_path, "cross.mine", "tries: it\nlayers: warden\njudge: gone\n=== code\n"
                       "import time\nlibc.prctl(15, b'{mark}', 0, 0, 0)\ntime.sleep(2)\n"
                       "print('LEFT')\n")
    command = [whole.casemate, "redteam", "--url", whole.url, "--pki", whole.pki,
               "--probes", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        program = shutil.copy("/bin/sleep", tmp_path / mark_of(process))
        with subprocess.Popen([program, "60"]) as left:
            out = process.communicate(timeout=60)[0]
            left.kill()
    assert process.returncode == 1
    assert out.splitlines()[1].startswith("ESCAPED "), out


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_has_gone_leaves_no_witnesses_behind(whole, tmp_path, options):
    folder = own_probe(tmp_path, "files.mine", "tries: it\nlayers: seccomp\n=== code\nheld(1)\n")
    process = subprocess.Popen(
        [whole.casemate, "redteam", "--url", whole.url, "--pki", whole.pki, "--probes", folder,
         *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.close()
    assert process.wait(60) == 2
    assert list(Path("/var/tmp").glob("casemate-redteam-*")) == []


def test_a_terminal_that_has_gone_leaves_no_witnesses_behind(whole):
    process = subprocess.Popen(
        [whole.casemate, "redteam", "--url", whole.url, "--pki", whole.pki, "--only", "cross."],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 2
    assert list(Path("/var/tmp").glob("casemate-redteam-*")) == []


def test_the_matrix_in_the_docs_is_of_these_layers_and_probes():
    """Made anew by tests/redteam/matrix.sh; which probes notice is for --mutate to say."""
    probes = {path.stem for path in (ROOT / "server/redteam/probes").glob("*.probe")}
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in (ROOT / "docs/REDTEAM.md").read_text().splitlines()
            if line.startswith("| `")]
    matrix = {layer.strip("`"): (int(count), which.split()) for layer, count, which in rows}

    assert list(matrix) == LAYER_NAMES
    matrix.pop("core_scheduling")  # not on every machine: a sentence instead
    for layer, (count, which) in matrix.items():
        assert count == len(which) == len(set(which) & probes) > 0, layer


# --- layers switched off ------------------------------------------------------------------------


def mutate(user, *arguments):
    """A test build that starts its own services; for an ordinary user from a copy he can read."""
    service = Service(user=user, build=TEST_BUILD)
    try:
        return subprocess.run(service.as_user(service.casemate, "redteam", *arguments),
                              cwd=service.state, capture_output=True, text=True, timeout=600)
    finally:
        service.remove()


@pytest.mark.skipif(not TEST_BUILD.exists(), reason="build it with `make VARIANT=test all`")
@pytest.mark.parametrize("user", USERS)
def test_every_layer_is_missed_when_it_alone_is_off(user):
    done = mutate(user, "--mutate", "--quick")
    rows = [line.split(" | ") for line in done.stdout.splitlines()[2:]]
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert len(rows) == LAYERS
    missing = {row[0].strip("| `") for row in rows if row[1] == "0"}
    # Those that an ordinary user, or the machine, does not have are not missed either.
    missing -= {"core_scheduling"} if "not there" in done.stdout.splitlines()[-1] else set()
    assert user != "root" or missing == set()
    assert missing <= {"own_uid", "cgroup_memory", "cgroup_pids", "cgroup_cpu"}


def lacked_by_the_kernel():
    """Probes of what a kernel may be without; there nothing but the wall can answer."""
    lacked = set()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(MEMFD_SECRET, -1)  # off before Linux 6.5 unless asked for at boot
    if ctypes.get_errno() == errno.ENOSYS:
        lacked.add("kernel.memfd_secret")
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        try:
            os.setxattr(file.name, "user.tried", b"1")  # in memory since Linux 6.6
        except OSError as error:
            assert error.errno == errno.ENOTSUP
            lacked.add("resources.attributes")
    return lacked


@pytest.mark.skipif(not TEST_BUILD.exists(), reason="build it with `make VARIANT=test all`")
def test_every_probe_escapes_when_its_layers_are_off():
    done = mutate(USERS[0], "--prove")
    lines = done.stdout.splitlines()
    held = {line.split()[1]: line for line in lines if not line.startswith("escaped ")}
    assert set(held) == lacked_by_the_kernel(), held
    assert (done.returncode == 0) == (not held), done.stderr
    assert len(lines) >= 130


def test_a_release_build_refuses_to_switch_a_layer_off(whole):
    service = Service(user=USERS[0], config={"isolation": {"layers_disabled": ["seccomp"]}})
    try:
        service.start(wait=False)
        assert service.process.wait(20) != 0
        assert "layers_disabled" in service.log()
    finally:
        service.process = None
        service.remove()
    for option in ("--mutate", "--prove"):
        done = redteam(whole, option)
        assert done.returncode == 2
        assert "test build" in done.stderr

