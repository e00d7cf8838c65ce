"""A random mixture of jobs, good, broken, hostile and abandoned, leaves the service as it was: the
same processes, mounts, control groups and descriptors, and no more memory.

CASEMATE_MIXTURE sets how many (10000 takes some minutes), CASEMATE_SEED repeats a mixture. The
few of an ordinary run are enough to see a descriptor or a group that is lost by one kind of them.
"""

import http.client
import json
import os
import random
import threading
from collections import Counter
from pathlib import Path

import pytest
from descriptors import count_descriptors
from service import USERS, Service, share_out, wait_until

EXECUTIONS = int(os.environ.get("CASEMATE_MIXTURE", "300"))
SEED = int(os.environ.get("CASEMATE_SEED", random.SystemRandom().randrange(1 << 32)))
CONNECTIONS = 8
MIB = 1 << 20
CONFIG = {"pool": {"workers_max": 8, "queue_max": 64},
          # One language, because processes are counted by their names.
          "runtimes": {"python": {"pool_low": 2, "pool_high": 4, "preload": ["json"]},
                       **{name: {"enabled": False} for name in ("bash", "c", "javascript")}}}
SHORT = {"wall_ms": 150, "cpu_ms": 5000}

# Code, limits, and how it may end. What needs a second process ends otherwise where there is none.
JOBS = {
    "prints": ("print(1)", {}, {"succeeded"}),
    "raises": ("1 / 0", {}, {"failed"}),
    "does not compile": ("def", {}, {"failed"}),
    "leaves files": (
        "import os\nfor n in range(30): open(f'f{n}', 'wb').write(os.urandom(9000))", {},
        {"succeeded"}),
    "leaves a large file": ("open('big', 'wb').write(b'x' * (2 << 20))", {}, {"succeeded"}),
    "leaves folders": ("import os\nos.makedirs('a/' * 60)\nos.mkdir('shut', 0)", {}, {"succeeded"}),
    "is busy": ("while True: pass", SHORT, {"timed_out"}),
    "sleeps": ("import time\ntime.sleep(60)", SHORT, {"timed_out"}),
    "stops itself": ("import os\nos.kill(os.getpid(), 19)", SHORT, {"timed_out"}),
    "kills itself": ("import os\nos.kill(os.getpid(), 9)", {}, {"killed"}),
    "crashes": ("import ctypes\nctypes.string_at(0)", {}, {"killed"}),
    "eats memory": ("x = []\nwhile True: x.append(b'1' * (1 << 20))",
                    {"memory_bytes": 64 * MIB, "wall_ms": 20000}, {"memory_exceeded"}),
    "prints too much": ("while True: print('x' * 4096)", {"output_bytes": 65536},
                        {"output_exceeded"}),
    "prints much": ("print('x' * 300000)", {"output_bytes": MIB}, {"succeeded"}),
    "fills the workspace": ("f = open('f', 'wb')\nwhile True: f.write(b'x' * 65536)",
                            {"workspace_bytes": 4 * MIB}, {"failed", "killed"}),
    "opens files": ("f = []\nwhile True: f.append(open('/dev/null'))", {"open_files": 64},
                    {"failed"}),
    "starts threads": ("import threading, time\nfor _ in range(8):\n"
                       "    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
                       {}, {"succeeded"}),
    "leaves a daemon": ("import os, time\nif os.fork() == 0:\n    os.setsid()\n"
                        "    if os.fork() == 0: time.sleep(60)\n    os._exit(0)", {},
                        {"succeeded", "failed"}),
    "forks a bomb": ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
                     {**SHORT, "processes": 12}, {"timed_out"}),
    "starts programs": ("import subprocess\nfor _ in range(3): subprocess.run(['/bin/true'])", {},
                        {"succeeded", "failed"}),
    "asks for what it may not": (
        "import os, socket\nfor _ in range(200):\n    try: socket.socket()\n"
        "    except OSError: pass\n    try: os.open('/dev/kmsg', 0)\n    except OSError: pass",
        {}, {"succeeded"}),
    "lies to the warden": ("import os\nos.write(63, b'x' * 900)\nos.close(63)", {},
                           {"succeeded", "failed"}),
}
REQUESTS = {
    "bad json": (b'{"language": "python", "code"', 400),
    "unknown language": (b'{"language": "cobol", "code": "x"}', 422),
    "no code": (b'{"language": "python"}', 422),
}
LEFT = "the caller leaves"


def send_and_leave(service, random_):
    """Asks for a job that waits, and hangs up: at once, or when it runs."""
    connection = http.client.HTTPSConnection("localhost", service.port, context=service.tls(),
                                             timeout=60)
    connection.request("POST", "/v1/executions", json.dumps(
        {"language": "python", "code": "import time\ntime.sleep(30)",
         "limits": {"wall_ms": 400}}), {"Content-Type": "application/json"})
    threading.Event().wait(random_.choice([0, 0.02, 0.1]))
    connection.sock.close()
    connection.close()


def run_one(service, client, kind, random_):
    if kind == LEFT:
        return send_and_leave(service, random_)
    if kind in REQUESTS:
        body, status = REQUESTS[kind]
        answer = client.request("POST", "/v1/executions", body,
                                {"Content-Type": "application/json"})
        assert answer.status == status, (kind, answer)
        return None
    code, limits, ends = JOBS[kind]
    answer = client.post({"language": "python", "code": code, "limits": limits,
                          **random_.choice([{}, {"stdin": "x" * 5000},
                                            {"files": [{"path": "in/a.txt", "content": "abc"}]}])})
    assert answer.status == 200, (kind, answer)
    assert answer.json["status"] in ends, (kind, answer.json)
    return None


def drive(service, kinds):
    randoms = [random.Random(SEED + number) for number in range(CONNECTIONS)]
    share_out(service, kinds, CONNECTIONS,
              lambda client, kind, number: run_one(service, client, kind, randoms[number]))


def is_at_rest(service):
    """Nothing starts, runs or ends, and the pool is full."""
    lines = service.operations("/metrics").body.decode().splitlines()
    count = {line.split("{")[0]: int(line.split()[-1]) for line in lines
             if line.startswith("casemate_workers_")}
    ready = service.config["runtimes"]["python"]["pool_high"]
    programs = Counter({name: len(pids) for name, pids in service.children().items()})
    # The zygote and each worker are one process of that name.
    return (count["casemate_workers_ready"] == ready and programs["casemate-python"] == ready + 1
            and count["casemate_workers_starting"] == count["casemate_workers_busy"] == 0)


def resident(pid):
    """What is the process's own: its share of what is mapped from files comes and goes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    return 0


def look(service):
    children = service.children()
    warden = children["casemate-warden"][0]
    lasting = {name: pids[0] for name, pids in children.items()
               if name not in ("casemate-python", "casemate-cell", "cell-init")}
    # The oldest of each: what workers and cells are forked from.
    lasting |= {name: children[name][0] for name in ("casemate-python", "casemate-cell")
                if name in children}
    groups = {path for base in Path("/sys/fs/cgroup").glob(f"**/*-{warden}")
              for path in [base, *base.rglob("*")] if path.is_dir()}
    return {
        "processes": {name: len(pids) for name, pids in children.items()},
        "pids": lasting,
        "mounts": {name: len(Path(f"/proc/{pid}/mountinfo").read_text().splitlines())
                   for name, pid in lasting.items()},
        "mounts of the host": Path("/proc/self/mountinfo").read_text().count(str(service.folder)),
        "groups": {path.name for path in groups if not path.name.startswith("w")
                   or path.name == "warden"},
        "descriptors": {name: count_descriptors(pid) for name, pid in lasting.items()},
        "memory": {name: resident(pid) for name, pid in lasting.items()},
        "workspaces": [len(list(path.iterdir())) for path in
                       Path("/dev/shm").glob(f"casemate-*-{warden}")],
    }, len(groups)


def room(name):
    """malloc keeps what one large outcome needed; the ledger's page cache holds answers
    (cache_size in server/ledger/database.c)."""
    return (4 * MIB) + (8000 << 10 if name == "casemate-ledger" else 0)


@pytest.mark.parametrize("user, level", [(user, level) for level in ("full", "landlock")
                                         for user in USERS])
def test_a_mixture_leaves_the_service_as_it_was(user, level):
    kinds = [*JOBS, *REQUESTS, LEFT]
    mixture = random.Random(SEED).choices(kinds, k=EXECUTIONS)
    with Service(user=user, config={**CONFIG, "isolation": {"level": level}}) as service:
        # Each kind once, so that what is kept for good is there.
        drive(service, kinds * 2)
        assert wait_until(lambda: is_at_rest(service), timeout=30), service.children()
        before, groups_before = look(service)

        drive(service, mixture)
        assert wait_until(lambda: is_at_rest(service), timeout=30), service.children()
        after, groups_after = look(service)

    said = f"CASEMATE_SEED={SEED} CASEMATE_MIXTURE={EXECUTIONS}"
    for name in ("processes", "pids", "mounts", "mounts of the host", "groups",
                 "workspaces"):
        assert after[name] == before[name], (said, name)
    # A group stays with its slot, of which there are eight.
    assert groups_after <= groups_before + 4 * CONFIG["pool"]["workers_max"], said
    for name, pid in before["pids"].items():
        assert after["descriptors"][name] <= before["descriptors"][name] + 4, (
            said, name, before, after)
        assert after["memory"][name] <= before["memory"][name] + room(name), (
            said, name, before, after)
