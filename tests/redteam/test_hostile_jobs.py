"""Jobs that lie, fill, hide and cling: whatever they do, the answer is well-formed, the service
lives, and the next job finds nothing of them.

Unlike the probes these attack no single layer, so there is no layer to switch off for them.
"""

import base64
import os
import time

import pytest
from service import ROOT, USERS, Service, wait_until

CHANNEL_FD = 63  # sandbox/runtimes/python/worker.c
REPORT = 512  # schema/wire/warden_worker.h: WORKER_REPORT
ENVIRONMENT = {"HOME", "PATH", "LANG", "TMPDIR", "XDG_CACHE_HOME", "MPLBACKEND", "MPLCONFIGDIR",
               "MATPLOTLIBRC"}
ENDS = {"succeeded", "failed", "killed", "timed_out", "memory_exceeded", "output_exceeded"}
PRELUDE = (ROOT / "server/redteam/probes/prelude.py").read_text()
SECRET = "do-not-tell-" + os.urandom(8).hex()

# Makes any message of the worker's protocol; header: type, descriptors, length, id.
FORGE = PRELUDE + f"""
import socket, struct, time
channel = socket.socket(fileno={CHANNEL_FD})
def message(body, kind={REPORT}, fds=0, length=None, number=0):
    return struct.pack("<HHIQ", kind, fds, len(body) if length is None else length, number) + body
def say(data):
    try: channel.send(data)
    except OSError as error: print(errno.errorcode[error.errno])
print("began", flush=True)
"""


@pytest.fixture(scope="module", params=USERS)
def service(request):
    os.environ["CASEMATE_SECRET"] = SECRET
    service = Service(user=request.param, config={
        "pool": {"workers_max": 4}, "runtimes": {"python": {"pool_low": 1, "pool_high": 2}}})
    try:
        yield service.start()
    finally:
        del os.environ["CASEMATE_SECRET"]
        service.remove()


@pytest.fixture(scope="module")
def client(service):
    return service.client()


def files_of(document):
    """Result files of an answer: {path: entry}."""
    return {entry["path"]: entry for entry in document["files"]}


def content(entry):
    if entry["encoding"] == "base64":
        return base64.b64decode(entry["content"])
    return entry["content"].encode()


# --- what a job is given ----------------------------------------------------------------------


def test_the_environment_holds_nothing_of_the_host(client):
    document = client.run(
        "import os, ctypes\n"
        "block = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')\n"
        "there = []\n"
        "while block[len(there)] is not None: there.append(block[len(there)].decode())\n"
        "print(sorted(set(os.environ) | {one.split('=')[0] for one in there}))\n"
        "print(dict(os.environ), there)")
    assert set(eval(document["stdout"].splitlines()[0])) <= ENVIRONMENT, document["stdout"]
    assert SECRET not in document["stdout"]


def test_the_first_environment_is_not_left_on_the_stack(client):
    """Programs of the service are started with an environment too; the kernel puts it above the
    first stack, where a fork of the zygote could still read it. A pipe for each page: on Linux
    6.1 a write from an address that is not there leaves an empty buffer, and sixteen fill a pipe."""
    document = client.run(PRELUDE + (
        "first = ctypes.c_char_p.in_dll(libc, '__progname_full')\n"
        "address = ctypes.cast(first, ctypes.c_void_p).value\n"
        "page = address & ~4095\n"
        "seen = b''\n"
        "for at in range(page - 4096, page + (1 << 17), 4096):\n"
        "    ends = os.pipe()\n"
        "    if syscall(1, ends[1], at, 4096) == 4096: seen += os.read(ends[0], 4096)\n"
        "    for end in ends: os.close(end)\n"
        "print(len(seen) > 0, seen.count(b'do-not-' + b'tell-'))"))
    assert document["stdout"] == "True 0\n", document


def test_only_the_streams_are_inherited(client):
    document = client.run(
        "import fcntl\n"
        "for fd in range(4096):\n"
        "    try: print(fd, fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC)\n"
        "    except OSError: pass")
    assert document["stdout"] == f"0 0\n1 0\n2 0\n{CHANNEL_FD} 1\n"


def test_a_program_of_the_job_gets_only_the_streams(client):
    document = client.run(
        "import subprocess\n"
        # A subshell each: for a redirection of its own bash would save descriptor 0 as 10.
        "subprocess.run(['/bin/bash', '-c', 'for fd in {3..80}; do "
        "(exec <&$fd) 2>/dev/null && echo $fd; done; echo end'], close_fds=False)")
    assert document["stdout"] == "end\n", document


def test_pid_1_of_the_cell_takes_no_signal(service, client):
    before = service.children()["casemate-warden"]
    document = client.run(
        "import os\n"
        "for number in range(1, 65):\n"
        "    try: os.kill(1, number)\n"
        "    except OSError as error: print(number, error)\n"
        "print(os.getpid())")
    assert document["status"] == "succeeded", document
    assert document["stdout"].splitlines()[-1] == "2"
    assert service.children()["casemate-warden"] == before


def test_there_is_no_control_group_to_leave_or_change(client):
    document = client.run(
        "import os\n"
        "seen = []\n"
        "for path, folders, names in os.walk('/'):\n"
        "    if path == '/': folders.remove('usr')\n"
        "    if 'cgroup.procs' in names or 'tasks' in names: seen.append(path)\n"
        "print(seen)")
    assert document["stdout"] == "[]\n", document


def test_a_set_uid_file_gives_no_privileges(client):
    """What the mounts say of set-uid files of the host is a probe; this is one of the job's own,
    which a shell may read but nobody may execute."""
    document = client.run(
        "import os, subprocess\n"
        "open('own', 'w').write('#!/bin/sh\\nid')\n"
        "os.chmod('own', 0o6755)\n"
        "try: print(subprocess.run(['./own'], capture_output=True))\n"
        "except OSError as error: print(type(error).__name__)\n"
        "shell = subprocess.run(['/bin/sh', 'own'], capture_output=True, text=True)\n"
        "print(shell.stdout.split()[0])\n"
        "print(os.getresuid(), os.getresgid())")
    assert document["stdout"] == (
        "PermissionError\nuid=1000(job)\n(1000, 1000, 1000) (1000, 1000, 1000)\n"), document


# --- the worker's channel ---------------------------------------------------------------------

# Each is what a job says instead of the report that its worker would send.
LIES = {
    "nothing": "say(b'')",
    "one byte": "say(b'x')",
    "half a header": "say(message(b'')[:7])",
    "a header without its body": "say(message(b'', length=4096))",
    "a body that nobody announced": "say(message(b'x' * 4096, length=1))",
    "a length beyond all limits": "say(message(b'', length=0xffffffff))",
    "descriptors that are not there": "say(message(bytes(2), fds=8))",
    "more descriptors than there can be": "say(message(bytes(2), fds=0xffff))",
    "a report too short": "say(message(b'\\2'))",
    "a report that is no JSON": "say(message(b'\\2\\0' + b'{\"error\"'))",
    "a report that is no UTF-8": "say(message(b'\\2\\0' + b'\\xff' * 64))",
    "a report of the wrong shape": "say(message(b'\\2\\0' + b'[1]'))",
    "a report with members of its own":
        "say(message(b'\\2\\0' + b'{\"error\":null,\"result\":null,\"status\":\"x\"}'))",
    "a report with a member twice":
        "say(message(b'\\2\\0' + b'{\"error\":null,\"result\":\"a\",\"result\":\"b\"}'))",
    "deep nesting": "say(message(b'\\2\\0' + b'[' * 30000))",
    "all flags": "say(message(b'\\xff\\xff'))",
    "done, and yet it goes on": "say(message(b'\\2\\0')); time.sleep(5)",
    "done twice": "say(message(b'\\2\\0') ); say(message(b'\\2\\7'))",
    "another's message": "[say(message(bytes(8), kind=kind)) for kind in range(490, 530)]",
    "the largest message": "say(message(b'\\2\\0' + b'x' * 60000))",
    "a megabyte": "say(message(b'x' * (1 << 20)))",
    "as many as fit": "channel.setblocking(False)\n"
                      "while True:\n"
                      "    try: channel.send(b'x' * 4096)\n"
                      "    except OSError: break",
    "a closed channel": "channel.close()",
    "half a channel": "channel.shutdown(socket.SHUT_RDWR)",
    "a channel that is something else": "os.dup2(0, 63)",
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_on_the_channel(service, client, lie):
    warden = service.children()["casemate-warden"]
    document = client.run(FORGE + LIES[lie], limits={"wall_ms": 8000})
    assert document["status"] in ENDS, document
    assert document["stdout"].startswith("began\n")
    assert document["stderr"] == "" or document["status"] == "failed", document["stderr"]
    assert set(document["error"] or {}) in (set(), {"name", "message", "traceback"},
                                            {"message"}, {"name", "message"}), document["error"]
    assert client.run("print(40 + 2)")["stdout"] == "42\n"
    assert service.children()["casemate-warden"] == warden


def test_a_forged_report_speaks_for_its_own_job_only(client):
    document = client.run(
        FORGE + "body = b'\\2\\3' + b'{\"error\":null,\"result\":\"forged\"}'\n"
        "say(message(body, number=12345))\ntime.sleep(5)")
    assert document["exit_code"] == 3
    assert document["result"] == "forged"
    assert client.run("1 + 1")["result"] == "2"


# --- result files -----------------------------------------------------------------------------


def test_only_regular_files_come_back(client):
    document = client.run(
        "import os\n"
        "os.mkfifo('fifo')\n"
        "os.symlink('/etc/passwd', 'link')\n"
        "os.symlink('/', 'folder')\n"
        "os.symlink('loop', 'loop')\n"
        "os.symlink('fifo', 'link-to-fifo')\n"
        "open('plain', 'w').write('plain')\n"
        "os.makedirs('a/b'); os.symlink('../../..', 'a/b/up')\n")
    assert document["status"] == "succeeded", document
    assert set(files_of(document)) == {"plain"}


def test_hard_links_are_files_of_their_own(client):
    document = client.run(
        "import os\nopen('one', 'w').write('same')\nos.link('one', 'two')\n"
        "try: os.link('/etc/passwd', 'three')\nexcept OSError: print('no')")
    assert {path: content(entry) for path, entry in files_of(document).items()} == {
        "one": b"same", "two": b"same"}
    assert document["stdout"] == "no\n"


def test_huge_sparse_files_do_not_fill_the_service(client):
    started = time.monotonic()
    document = client.run(
        "import os\n"
        "for number in range(40):\n"
        "    with open(f'sparse{number}', 'wb') as file:\n"
        "        try: file.truncate(60 << 20)\n"
        "        except OSError as error: print(error); break\n",
        limits={"workspace_bytes": 64 << 20})
    assert document["status"] in ENDS
    assert time.monotonic() - started < 20
    whole = [entry for entry in document["files"] if entry.get("content") is not None]
    assert sum(len(content(entry)) for entry in whole) <= 64 << 20
    assert client.run("print(1)")["stdout"] == "1\n"


def test_modes_and_names_do_not_hide_or_break(client):
    document = client.run(
        "import os\n"
        "open('secret', 'w').write('x'); os.chmod('secret', 0)\n"
        "os.mkdir('closed'); open('closed/in', 'w').write('y'); os.chmod('closed', 0)\n"
        "for name in (b'\\xff\\xfe', b'new\\nline', b'quote\"', b'\\x01', b'a' * 255, b'-rf',\n"
        "             b' '):\n"
        "    open(name, 'w').write('z')\n"
        "path = 'd'\n"
        "for _ in range(200):\n"
        "    os.mkdir(path); path += '/' + 'd' * 20\n"
        "    if len(path) > 3500: break\n")
    assert document["status"] == "succeeded", document
    found = files_of(document)
    assert content(found["secret"]) == b"x"
    assert content(found["closed/in"]) == b"y"
    assert {'quote"', "a" * 255, "-rf", " "} <= set(found)
    # A name no request could carry is not told in an answer either, and the answer says so.
    assert not {"new\nline", "\x01"} & set(found)
    assert document["files_truncated"]


def test_more_files_than_are_read(client):
    document = client.run(
        "made = 0\n"
        "try:\n"
        "    while True: open(f'f{made}', 'w').close(); made += 1\n"
        "except OSError as error: print(error.errno)\n")
    assert document["status"] == "succeeded", document
    assert document["stdout"] == "28\n"
    assert document["files_truncated"]


def test_files_that_change_while_they_are_read(client):
    """A process that goes on after the worker has ended must be dead before files are read."""
    document = client.run(
        "import os\n"
        "open('file', 'wb').write(b'x' * (1 << 20))\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        while True:\n"
        "            os.truncate('file', 0); os.truncate('file', 1 << 20)\n"
        "            try: os.rename('file', 'other'); os.rename('other', 'file')\n"
        "            except OSError: pass\n"
        "import time; time.sleep(0.05)\n"
        "os._exit(0)\n", limits={"wall_ms": 5000})
    assert document["status"] in ENDS, document
    for entry in document["files"]:
        assert entry.get("content") is None or len(content(entry)) == entry["size"]


# --- what stays behind ------------------------------------------------------------------------


def test_nothing_outlives_its_job(service, client):
    wait_until(lambda: len(service.descendants()) > 0)
    document = client.run(
        "import os, signal, subprocess, time\n"
        "for number in range(1, 32):\n"
        "    try: signal.signal(number, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "for _ in range(5):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0: os.execv('/bin/sleep', ['sleep', '300'])\n"
        "        time.sleep(300)\n"
        "time.sleep(0.05)\n"
        "os._exit(0)\n")
    assert document["status"] == "succeeded", document
    assert wait_until(lambda: "sleep" not in service.children(), 5), service.children()


def test_a_fork_bomb_is_over_with_its_job(service, client):
    # Of the service itself; workers come and go by a few.
    usual = len(service.descendants())
    document = client.run(
        "import os\n"
        "while True:\n"
        "    try: os.fork()\n"
        "    except OSError: pass\n", limits={"wall_ms": 1000, "processes": 32})
    assert document["status"] == "timed_out", document
    assert client.run("print(1)")["stdout"] == "1\n"
    assert wait_until(lambda: len(service.descendants()) < usual + 8, 10)


def test_stopped_and_traced_processes_do_not_hold_a_slot(client):
    for _ in range(3):
        document = client.run("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
                              limits={"wall_ms": 300})
        assert document["status"] == "timed_out", document
    assert client.run("print(1)")["stdout"] == "1\n"


def test_modules_patched_by_one_job_are_whole_in_the_next(client):
    client.run("import json, builtins, os\njson.dumps = None\nbuiltins.print = None\n"
               "os.environ['LEFT'] = '1'")
    document = client.run("import json, os\nprint(json.dumps([os.environ.get('LEFT')]))")
    assert document["stdout"] == "[null]\n", document
