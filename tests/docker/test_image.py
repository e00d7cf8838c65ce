"""Builds the image without an engine and lets its service answer an execution.

`podman build --isolation=chroot` on a debootstrapped base needs no container engine and no
registry. The service in the image is then started as an engine would start it (with_profile.py):
as the image's user without any capability, with no_new_privs, a read-only root, and the seccomp
profile that the compose file and the manifests name.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
from pathlib import Path

import pytest
from service import wait_until

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "image"
SUITE = os.environ.get("SUITE", "trixie")
STATE = "/var/lib/casemate"
UID = 10001

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap and mounts need root"),
    pytest.mark.skipif(shutil.which("podman") is None or shutil.which("debootstrap") is None,
                       reason="no podman or debootstrap: tests/support/deps.sh docker"),
]


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=1800, **options)
    if done.returncode != 0:
        pytest.fail(f"{command[0]} {command[-1]}: exit {done.returncode}\n"
                    f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}", pytrace=False)
    return done.stdout.strip()


def podman(*arguments):
    return run("podman", "--root", WORK / "storage", "--runroot", WORK / "run",
               "--storage-driver", "vfs", *arguments)


def base_archive():
    """A small Debian as an archive; it is kept, because it changes with the suite only."""
    archive = WORK / f"{SUITE}.tar"
    if not archive.exists():
        folder, half = WORK / SUITE, WORK / f"{SUITE}.half"
        shutil.rmtree(folder, ignore_errors=True)
        run("debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, folder)
        run("tar", "-C", folder, "-cf", half, ".")
        half.rename(archive)
        shutil.rmtree(folder)
    return archive


def remove_storage():
    """Also what an interrupted run has left, mounts included."""
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        target = line.split()[1]
        if target.startswith(f"{WORK}/"):
            subprocess.run(["umount", "-l", target], check=False)
    for folder in ("storage", "run", "root"):
        shutil.rmtree(WORK / folder, ignore_errors=True)


@pytest.fixture(scope="module")
def image():
    """(the image's configuration, its files in a folder of their own)"""
    WORK.mkdir(parents=True, exist_ok=True)
    remove_storage()
    try:
        podman("import", base_archive(), "localhost/base")
        # No layers: each instruction's would be a whole copy of the tree with this driver.
        # podman 5 would raise these limits, which needs a right that root in a container lacks.
        podman("build", "--isolation=chroot", "--layers=false", "--ulimit", "nofile=1024:4096",
               "--ulimit", "nproc=4096:8192", "--build-arg",
               "BASE=localhost/base", "-f", ROOT / "docker" / "Dockerfile", "-t",
               "localhost/casemate", ROOT)
        config = json.loads(podman("image", "inspect", "localhost/casemate"))[0]["Config"]
        mounted = podman("image", "mount", "localhost/casemate")
        run("cp", "-a", mounted, WORK / "root")
        podman("image", "unmount", "localhost/casemate")
        yield config, WORK / "root"
    finally:
        remove_storage()


def test_no_compiler_in_the_image(image):
    _, root = image
    for name in ("gcc", "cc", "clang", "make", "ld"):
        assert not (root / "usr" / "bin" / name).exists(), name
    assert not (root / "usr" / "include" / "stdio.h").exists()
    assert not (root / "src").exists()


def test_it_runs_as_an_ordinary_user(image):
    config, root = image
    assert config["User"] == f"{UID}:{UID}"
    assert config["Entrypoint"] == ["/usr/bin/casemate"]
    assert (root / STATE[1:]).stat().st_uid == UID


def contained(root, *command):
    return ["unshare", "--pid", "--fork", "--kill-child", "/usr/bin/python3",
            str(ROOT / "tests" / "docker" / "with_profile.py"),
            str(ROOT / "docker" / "casemate-seccomp.json"), str(root), str(UID), STATE,
            "/usr/bin/casemate", *command]


@contextlib.contextmanager
def service(root):
    """The running service; its log afterwards is in the state folder's `log`."""
    state = root / STATE[1:]
    run(*contained(root, "certs", "init", "--pki", f"{STATE}/pki"))
    config = json.loads((ROOT / "docker" / "casemate.json").read_text())
    config["listen"] = config["operations"] = {"address": "127.0.0.1", "port": 0}
    config["tls"] = {key: f"{STATE}/{path}" for key, path in config["tls"].items()}
    (root / "etc" / "casemate" / "casemate.json").write_text(json.dumps(config))
    with open(WORK / "log", "w") as log:
        process = subprocess.Popen(
            contained(root, "serve", "--config", "/etc/casemate/casemate.json"),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    first = None
    try:
        # unshare(1) passes no signal on: the container's first process is its only child.
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        assert wait_until(lambda: children.read_text().strip(), timeout=10)
        first = int(children.read_text())
        listening = state / "listening"
        wait_until(lambda: listening.exists() or process.poll() is not None, timeout=60)
        assert listening.exists(), (WORK / "log").read_text()
        yield state
        os.kill(first, signal.SIGTERM)
        assert process.wait(timeout=40) == 0, (WORK / "log").read_text()
    finally:
        # --kill-child does not outlive the change of user.
        if process.poll() is None:
            os.kill(first or process.pid, signal.SIGKILL)
        process.wait()


def execute(state, code):
    context = ssl.create_default_context(cafile=str(state / "pki" / "ca.crt"))
    context.load_cert_chain(state / "pki" / "client.crt", state / "pki" / "client.key")
    port = int((state / "listening").read_text().strip().rsplit(":", 1)[1])
    connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", "/v1/executions",
                           json.dumps({"language": "python", "code": code}),
                           {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())


def test_the_service_in_the_image_answers_an_execution(image):
    _, root = image
    with service(root) as state:
        document = execute(state, "import pandas, os; print(pandas.Series([20, 22]).sum())")
        assert document["status"] == "succeeded", (document, (WORK / "log").read_text())
        assert document["stdout"] == "42\n"
        assert document["isolation"]["level"] == "full"
        layers = set(document["isolation"]["layers"])
    assert {"user_namespace", "pid_namespace", "network_namespace", "minimal_root", "landlock",
            "seccomp", "no_capabilities"} <= layers
    # There is no writable control group in such a container: it says so and works.
    assert not {layer for layer in layers if layer.startswith("cgroup_") and
                layer != "cgroup_namespace"}
    assert "event=cgroups_missing" in (WORK / "log").read_text()


def test_the_doctor_in_the_image_finds_nothing_required_missing(image):
    _, root = image
    done = subprocess.run(contained(root, "doctor"), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cgroups" in done.stdout
