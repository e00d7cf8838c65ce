"""Builds the image without an engine and lets its service answer an execution.

`podman build --isolation=chroot` on a debootstrapped base needs no container engine and no
registry. The image's file system is then entered with chroot as its own user, with the seccomp
profile that the compose file and the manifests name.
"""

import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from service import wait_until

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "image"
SUITE = os.environ.get("SUITE", "trixie")
UID = 10001

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap and chroot need root")


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=1800, **options)
    assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout.strip()


def podman(*arguments):
    return run("podman", "--root", WORK / "storage", "--runroot", WORK / "run",
               "--storage-driver", "vfs", *arguments)


@pytest.fixture(scope="module")
def image():
    WORK.mkdir(parents=True, exist_ok=True)
    base = WORK / f"{SUITE}.tar"
    if not base.exists():
        root = WORK / SUITE
        shutil.rmtree(root, ignore_errors=True)
        run("debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, root)
        run("tar", "-C", root, "-cf", base, ".")
        shutil.rmtree(root)
    podman("import", base, "localhost/base")
    podman("build", "--isolation=chroot", "--build-arg", "BASE=localhost/base", "-f",
           ROOT / "docker" / "Dockerfile", "-t", "localhost/casemate", ROOT)
    mounted = Path(podman("image", "mount", "localhost/casemate"))
    yield mounted
    podman("image", "unmount", "localhost/casemate")
    podman("rmi", "-a", "-f")


@pytest.fixture(scope="module")
def root(image):
    """A throw-away copy of the image to write into."""
    copy = WORK / "root"
    shutil.rmtree(copy, ignore_errors=True)
    run("cp", "-a", image, copy)
    yield copy
    shutil.rmtree(copy, ignore_errors=True)


def test_no_compiler_in_the_image(image):
    for name in ("gcc", "cc", "clang", "make", "ld"):
        assert not (image / "usr" / "bin" / name).exists(), name
    assert not (image / "usr" / "include" / "stdio.h").exists()
    assert not (image / "src").exists()


def test_it_runs_as_an_ordinary_user(image):
    config = json.loads(podman("image", "inspect", "localhost/casemate"))[0]["Config"]
    assert config["User"] == "10001:10001"


def test_the_service_in_the_image_answers_an_execution(root):
    profile = ROOT / "docker" / "casemate-seccomp.json"
    enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc=" + str(root / "proc"),
             "/usr/bin/python3", str(ROOT / "tests" / "docker" / "with_profile.py"), str(profile),
             "chroot", "--userspec=10001:10001", str(root)]
    state = root / "var" / "lib" / "casemate"
    config = json.loads((ROOT / "docker" / "casemate.json").read_text())
    config["listen"] = config["operations"] = {"address": "127.0.0.1", "port": 0}
    for name in ("null", "zero", "random", "urandom"):
        (root / "dev" / name).touch()
        run("mount", "--bind", f"/dev/{name}", root / "dev" / name)
    process = None
    try:
        run(*enter, "/usr/bin/casemate", "certs", "init", "--pki", "/var/lib/casemate/pki")
        for key in ("server_certificate", "server_key", "client_ca"):
            config["tls"][key] = "/var/lib/casemate/" + config["tls"][key]
        (root / "etc" / "casemate" / "casemate.json").write_text(json.dumps(config))
        process = subprocess.Popen(enter + ["/usr/bin/casemate", "serve"],
                                   stderr=subprocess.PIPE, text=True)
        listening = state / "listening"
        assert wait_until(lambda: listening.exists() or process.poll() is not None, timeout=60)
        assert process.poll() is None, process.stderr.read()
        context = ssl.create_default_context(cafile=str(state / "pki/ca.crt"))
        context.load_cert_chain(state / "pki/client.crt", state / "pki/client.key")
        port = int(listening.read_text().strip().rsplit(":", 1)[1])
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=60)
        connection.request("POST", "/v1/executions", json.dumps(
            {"language": "python", "code": "import pandas, sys; print(sys.version_info[:2])"}),
            {"Content-Type": "application/json"})
        document = json.loads(connection.getresponse().read())
        assert document["status"] == "succeeded", document
        assert document["isolation"]["level"] == "full"
    finally:
        if process is not None and process.poll() is None:
            inner = run("pgrep", "-f", "-u", UID, "casemate-serve").split()
            for pid in inner:
                os.kill(int(pid), signal.SIGTERM)
            deadline = time.monotonic() + 20
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            code = process.poll()
            if code is None:
                process.kill()
            assert code == 0
        for name in ("null", "zero", "random", "urandom"):
            subprocess.run(["umount", str(root / "dev" / name)], check=False)
