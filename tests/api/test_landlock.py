"""Level landlock: the service without namespaces, as root and as an ordinary user.

What it holds is tried by the probes of tests/redteam; here it serves. As an ordinary user without
control groups its jobs have threads and no processes.
"""

import ctypes
import json
import os
import shutil
import signal
import threading
from pathlib import Path

import pytest
from programs import PROGRAMS
from service import ROOT, USERS, Service, wait_until
from test_limits import CASES, LIMITED

LANDLOCK = {"isolation": {"level": "landlock"}, "pool": {"workers_max": 4},
            "runtimes": {"python": {"pool_low": 1, "pool_high": 2}}}
SMALL = {"runtimes": {"python": {"pool_low": 1, "pool_high": 2, "preload": []}}}
SHARED_MEMORY = Path("/dev/shm")

# What ends otherwise than in a cell, and why.
OTHER_ENDS = {
    # Counted and ended by the warden, where a cell's own file system is full.
    "workspace flood in inodes": "killed",
    # Python ignores SIGXFSZ, so the write fails as it does on a full disk.
    "workspace flood in bytes": ("failed", "killed"),
}
# Cases that need a second process.
NEED_PROCESSES = {"memory in children", "fork bomb", "descriptor of a pipe held",
                  "daemon that left the session"}


class Pod(Service):
    """The service where no namespace and no mount can be made at all."""

    def as_user(self, *command):
        wrapper = self.folder / "pod.py"
        if not wrapper.exists():
            shutil.copy(ROOT / "tests" / "support" / "pod.py", wrapper)
        return super().as_user("/usr/bin/python3", wrapper, *command)


@pytest.fixture(scope="module", params=USERS)
def bare(request):
    instance = Pod(user=request.param, config=LANDLOCK)
    try:
        yield instance.start()
    finally:
        instance.remove()


@pytest.fixture
def bare_client(bare):
    connection = bare.client()
    yield connection
    connection.close()


def has_processes(client):
    return "cgroup_pids" in client.run("")["isolation"]["layers"]


def check_lists(service, level):
    client = service.client()
    told = json.loads(service.tool("doctor", "--json", "--level", level).stdout)
    doctor = next(row for row in told["levels"] if row["level"] == level)
    capabilities = client.get("/v1/capabilities").json["isolation"]
    execution = client.run("print(1)")["isolation"]
    client.close()

    assert doctor["usable"] and told["ready"]
    assert execution == capabilities
    assert execution["level"] == level
    assert execution["layers"] == doctor["layers"]
    assert execution["not_promised"] == doctor["not_promised"]


def test_doctor_capabilities_and_execution_agree(bare):
    check_lists(bare, "landlock")


def test_level_full_is_not_replaced_by_this_one():
    """Where namespaces cannot be had the service does not start, unless told to do without."""
    instance = Pod(user="ordinary", config={"runtimes": LANDLOCK["runtimes"],
                                            "pool": LANDLOCK["pool"]})
    try:
        instance.start(wait=False)
        assert instance.process.wait(60) != 0
        assert "user namespace" in instance.log()
        told = json.loads(instance.tool("doctor", "--json", check=False).stdout)
        assert [row["usable"] for row in told["levels"]] == [False, True] and not told["ready"]
    finally:
        instance.process = None
        instance.remove()


def test_they_agree_at_level_full_too(service):
    check_lists(service, "full")


def has_cookies():
    """Whether this machine has core scheduling: PR_SCHED_CORE_GET of ourselves."""
    cookie = ctypes.c_ulong()
    return ctypes.CDLL(None).prctl(62, 0, 0, 0, ctypes.byref(cookie)) == 0


@pytest.mark.parametrize("level", ["full", "landlock"])
def test_core_scheduling_is_there_where_the_machine_has_it(level):
    """And required, its absence keeps the service from starting."""
    instance = Service(config={**SMALL, "isolation": {"level": level}})
    try:
        client = instance.start().client()
        isolation = client.run("print(1)")["isolation"]
        check_lists(instance, level)
        assert ("core_scheduling" in isolation["layers"]) == has_cookies()
        assert ("core_of_its_own" in isolation["not_promised"]) != has_cookies()
        instance.stop()
        instance.write_config({"isolation": {"layers_required": ["core_scheduling"]}})
        instance.start(wait=False)
        if has_cookies():
            instance.wait_ready()
        else:
            assert instance.process.wait(60) != 0
            assert "core_scheduling" in instance.log()
            instance.process = None
    finally:
        instance.remove()


@pytest.mark.parametrize("level, layer", [("full", "own_uid"), ("landlock", "own_uid"),
                                          ("landlock", "cgroup_memory")])
def test_a_minimum_that_cannot_be_had_is_refused_by_name(level, layer):
    instance = Service(user="ordinary", config={
        **LANDLOCK, "isolation": {"level": level, "layers_required": ["seccomp", layer]}})
    try:
        instance.start(wait=False)
        assert instance.process.wait(60) != 0
        log = instance.log()
        assert layer in log and "casemate doctor" in log and "layers_required" in log, log
    finally:
        instance.process = None
        instance.remove()


def test_a_layer_of_another_level_cannot_be_required():
    instance = Service(config={"isolation": {"level": "landlock",
                                             "layers_required": ["pid_namespace"]}})
    try:
        instance.start(wait=False)
        assert instance.process.wait(60) != 0
        assert "/isolation/layers_required/0" in instance.log()
    finally:
        instance.process = None
        instance.remove()


@pytest.mark.parametrize("name", PROGRAMS)
def test_own_program(bare_client, name):
    document = bare_client.run(PROGRAMS[name][0])

    if "subprocess" in PROGRAMS[name][0] and not has_processes(bare_client):
        assert document["error"]["name"] == "PermissionError"
        return
    assert document["status"] == "succeeded", document
    assert document["stdout"] == PROGRAMS[name][1]


# Those whose limit another layer holds than at level full.
HERE = ["memory touched bit by bit", "memory in children", "fork bomb", "10 GB output",
        "workspace flood in bytes", "workspace flood in inodes", "SIGSTOP to itself",
        "busy loop within wall", *sorted(NEED_PROCESSES)]


@pytest.mark.parametrize("name", dict.fromkeys(HERE))
def test_limit(bare_client, name):
    code, status, limits = CASES[name]
    document = bare_client.run(code, limits={**LIMITED, **limits})
    status = OTHER_ENDS.get(name, status)

    if name in NEED_PROCESSES and not has_processes(bare_client):
        status = ("failed", "timed_out")
    assert document["status"] in (status if isinstance(status, tuple) else (status,)), document
    assert bare_client.run("print('next')")["stdout"] == "next\n"


def test_files_go_in_and_out_and_nothing_stays(bare_client):
    code = ("import os, tempfile\n"
            "os.makedirs('a/' * 40)\n"
            "os.mkdir('shut', 0o000)\n"
            "tempfile.NamedTemporaryFile(delete=False).write(b'x')\n"
            "open('out.txt', 'w').write(open('in.txt').read().upper())\n"
            "print(os.path.abspath('out.txt') == os.path.join(os.environ['HOME'], 'out.txt'))\n")
    document = bare_client.run(code, files=[{"path": "in.txt", "content": "abc"}])
    after = bare_client.run("import os, tempfile\n"
                            "print(os.listdir('.'), os.listdir(tempfile.gettempdir()))")

    assert document["status"] == "succeeded" and document["stdout"] == "True\n", document
    assert {"path": "out.txt", "size": 3} .items() <= document["files"][0].items()
    assert after["stdout"] == "[] []\n"


def test_a_workspace_that_is_too_full_ends_the_job(bare, bare_client):
    code = ("import time\n"
            "for n in range(20): open(str(n), 'wb').write(b'x' * (1 << 20))\n"
            "time.sleep(30)\n")
    document = bare_client.run(code, limits={"workspace_bytes": 8 << 20})

    assert document["status"] == "killed", document
    assert document["error"]["name"] == "WorkspaceExceeded"
    assert f"limits.workspace_bytes is {8 << 20}" in document["error"]["message"]
    assert [event["target"] for event in document["events"]
            if event["kind"] == "limit_reached"] == ["workspace_bytes"]
    body, = bare.query("SELECT body FROM records WHERE execution_id = ?"
                       " AND kind = 'execution_finished'", document["id"])[0]
    assert json.loads(body)["limit"] == "workspace"


def busy(marks):
    """The living processes of these names, which a job's processes give themselves."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = entry.read_text().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if name in marks and rest.split()[0] not in "ZX":
            found.add(int(entry.parent.name))
    return found


@pytest.mark.parametrize("user", USERS)
def test_nothing_outlives_a_killed_warden(user):
    """Neither a worker that wants to, nor a daemon of a job, nor the workspaces."""
    marks = {f"m{os.getpid()}", f"d{os.getpid()}"}
    code = ("import ctypes, os, time\n"
            "prctl = ctypes.CDLL(None).prctl\n"
            "prctl(1, 0)\n"  # PR_SET_PDEATHSIG: refused
            f"prctl(15, b'm{os.getpid()}')\n"
            "try:\n"
            "    if os.fork() == 0:\n"
            "        os.setsid()\n"
            "        if os.fork() != 0: os._exit(0)\n"
            f"        prctl(15, b'd{os.getpid()}')\n"
            "except OSError: pass\n"
            "while True: time.sleep(1)\n")
    with Pod(user=user, config={**LANDLOCK, **SMALL}) as instance:
        client = instance.client()
        expected = 2 if has_processes(client) else 1
        runner = threading.Thread(target=instance.client().post, args=(
            {"language": "python", "code": code, "limits": {"wall_ms": 60000}},))
        runner.start()
        assert wait_until(lambda: len(busy(marks)) == expected)
        warden = instance.children()["casemate-warden"][0]
        folder = next(SHARED_MEMORY.glob(f"casemate-*-{warden}"))
        os.kill(warden, signal.SIGKILL)
        runner.join()
        assert wait_until(lambda: not busy(marks)), busy(marks)
        assert wait_until(lambda: not folder.exists())
        assert wait_until(lambda: instance.client().post(
            {"language": "python", "code": "print(2)"}).status == 200)
