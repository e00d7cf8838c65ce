"""The installed service under systemd, in the machine of tests/support/vm.sh and nowhere else: it
installs into /usr/local, makes an account and starts units."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from service import Client, ROOT, Service, default_config, wait_until

UNIT = "casemate.service"
GROUP = Path("/sys/fs/cgroup/system.slice") / UNIT
STATE = Path("/var/lib/casemate")
CONFIG = Path("/etc/casemate/casemate.json")
DROP_IN = Path("/etc/systemd/system/casemate.service.d/user.conf")
CGROUP_LAYERS = {"cgroup_memory", "cgroup_pids", "cgroup_cpu"}

pytestmark = pytest.mark.skipif(
    not Path("/etc/systemd/system/casemate-vm.service").exists(), reason="only in make test-vm")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        journal = subprocess.run(["journalctl", "-u", UNIT, "-n", "30", "--no-pager"],
                                 capture_output=True, text=True).stdout
        pytest.fail(f"{command}\n{done.stdout}\n{done.stderr}\n{journal}", pytrace=False)
    return done.stdout.strip()


def show(name):
    return run("systemctl", "show", "--value", f"--property={name}", UNIT)


def own_groups():
    """Of the service, beside the one that systemd makes for a reload."""
    return {path.name for path in GROUP.iterdir() if path.name.startswith("casemate-")}


class Installed(Service):
    """What Client needs of a service that systemd runs."""

    def __init__(self, user):
        self.user = user
        self.state = STATE
        self.process = None

    @property
    def pki(self):
        return STATE / "pki"

    def main_pid(self):
        return int(show("MainPID"))


def configure(changes=None):
    config = {**default_config(), "state_directory": str(STATE), **(changes or {})}
    for name, path in config["tls"].items():
        config["tls"][name] = str(STATE / path)
    CONFIG.parent.mkdir(exist_ok=True)
    CONFIG.write_text(json.dumps(config))
    CONFIG.chmod(0o644)
    CONFIG.parent.chmod(0o755)


@pytest.fixture(scope="module", params=["root", "casemate"])
def installed(request):
    run("make", "-C", str(ROOT), "install", "PREFIX=/usr/local")
    shutil.rmtree(STATE, ignore_errors=True)
    run("/usr/local/bin/casemate", "certs", "init", "--pki", str(STATE / "pki"))
    configure()
    if request.param != "root":
        subprocess.run(["useradd", "--system", request.param], check=False)
        DROP_IN.parent.mkdir(exist_ok=True)
        DROP_IN.write_text(f"[Service]\nUser={request.param}\n")
        run("chown", "-R", request.param, str(STATE))
    run("systemctl", "daemon-reload")
    run("systemctl", "start", UNIT)
    yield Installed(request.param)
    subprocess.run(["systemctl", "stop", UNIT], check=False)
    shutil.rmtree(DROP_IN.parent, ignore_errors=True)


@pytest.fixture
def client(installed):
    connection = Client(installed)
    yield connection
    connection.close()


def test_started_means_ready(installed, client):
    assert show("ActiveState") == "active"
    assert client.run("print(1)")["stdout"] == "1\n"
    uid = Path(f"/proc/{installed.main_pid()}").stat().st_uid
    assert (uid == 0) == (installed.user == "root")


def test_every_controller_is_delegated(client):
    document = client.run("print(1)")

    assert CGROUP_LAYERS <= set(document["isolation"]["layers"])
    assert document["usage"]["memory_peak_bytes"] > 0
    # No process may be in the unit's own group, or it could pass no controller on.
    assert (GROUP / "cgroup.procs").read_text() == ""
    assert {"cpu", "memory", "pids"} <= set((GROUP / "cgroup.subtree_control").read_text().split())


@pytest.mark.parametrize("code, status", [
    ("x = []\nwhile True: x.append(b'\\1' * (1 << 20))", "memory_exceeded"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed")])
def test_the_end_of_a_job_is_not_the_end_of_the_service(installed, client, code, status):
    before = installed.main_pid()

    assert client.run(code, limits={"memory_bytes": 64 << 20})["status"] == status

    assert client.run("print(2)")["stdout"] == "2\n"
    assert (show("ActiveState"), installed.main_pid()) == ("active", before)


def test_the_service_is_the_last_to_be_killed(installed):
    assert Path(f"/proc/{installed.main_pid()}/oom_score_adj").read_text() == "-900\n"


def test_reload_keeps_the_process_and_takes_the_configuration(installed, client):
    before = installed.main_pid()
    configure({"principals": []})
    run("systemctl", "reload", UNIT)
    try:
        assert wait_until(lambda: client.post({"language": "python", "code": "1"}).status == 403)
    finally:
        configure()
        run("systemctl", "reload", UNIT)
    assert wait_until(lambda: client.post({"language": "python", "code": "1"}).status == 200)
    assert (show("ActiveState"), installed.main_pid()) == ("active", before)


def test_a_killed_supervisor_is_started_again_and_leaves_no_group(installed, client):
    before, restarts = installed.main_pid(), int(show("NRestarts"))
    client.run("print(1)")
    groups = own_groups()

    os.kill(before, signal.SIGKILL)

    assert wait_until(lambda: show("ActiveState") == "active" and
                      installed.main_pid() not in (0, before), timeout=30)
    client.close()
    assert Client(installed).run("print(3)")["stdout"] == "3\n"
    assert int(show("NRestarts")) == restarts + 1
    assert len(groups) == 2 and wait_until(lambda: len(own_groups()) == len(groups))


def test_stop_is_clean(installed):
    run("systemctl", "stop", UNIT)
    try:
        assert (show("ActiveState"), show("Result")) == ("inactive", "success")
        assert not GROUP.exists()
        left = subprocess.run(["pgrep", "-c", "casemate"], capture_output=True, text=True).stdout
        assert left.strip() == "0"
    finally:
        run("systemctl", "start", UNIT)
