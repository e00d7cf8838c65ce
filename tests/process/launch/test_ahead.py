"""The interface between the launcher and an interpreter that is started ahead of its job, with a
few lines of Python in the interpreter's place. What the code says is what it does."""

import json
import os
import time

import pytest
from warden_service import Warden, runtime_message

# Takes a job as sandbox/runtimes/launch/ahead.h says and runs its code as Python.
INTERPRETER = """
import os, socket, struct, sys
link = socket.socket(fileno=3)
link.sendall(b"R")
def take(count):
    data = b""
    while len(data) < count:
        data += link.recv(count - len(data)) or sys.exit(9)
    return data
def number():
    return struct.unpack("<I", take(4))[0]
arguments = [take(number()).decode() for _ in range(number())]
variables = [take(number()).decode() for _ in range(number())]
code = take(number()).decode()
def report(text):
    data = text.encode()
    link.sendall(struct.pack("<I", len(data)) + data)
exec(code)
"""


def plan(script):
    return [("argv", "/usr/bin/python3"), ("argv", "-IS"), ("argv", "-c"), ("argv", script),
            ("ahead", "1"), ("env", "GIVEN=always"), ("version", "/usr/bin/python3"),
            ("version", "--version")]


def message(script, **options):
    return runtime_message("toy", "casemate-launch", low=1, high=2, start="ahead",
                           plan=plan(script), **options)


@pytest.fixture(scope="module")
def warden():
    warden = Warden(instance="ahead", runtimes=[message(INTERPRETER)]).wait_ready()
    yield warden
    warden.close()


@pytest.fixture
def run(warden):
    return lambda code, **options: warden.run(code, runtime="toy", **options)


def test_the_job_comes_over_the_link(run):
    done = run("print(arguments, sorted(variables), sys.stdin.read())\nprint(open('a/b').read())",
               args=["x", "y z"], env=[("A", "1"), ("HOME", "/tmp")], stdin=b"typed",
               files=[("a/b", b"inside")])

    assert (done.status, done.exit_code, done.stderr) == ("succeeded", 0, b"")
    first, second = done.stdout.decode().splitlines()
    assert first == ("['x', 'y z'] ['A=1', 'GIVEN=always', 'HOME=/tmp', "
                     "'LC_CTYPE=C.UTF-8', 'PATH=/usr/local/bin:/usr/bin:/bin', 'TMPDIR=/tmp'] typed")
    assert second == "inside"


def test_what_is_larger_than_a_socket_buffer_arrives_whole(run):
    text = "x" * 900000
    done = run(f"print(len(code), len(sys.stdin.read()), len(arguments), sum(map(len, variables)))"
               f"\n#{text}", args=["a" * 8000] * 200, env=[("BIG", "v" * 30000)],
               stdin=b"i" * 3000000)

    assert done.status == "succeeded", done
    assert done.stdout.split()[1:3] == [b"3000000", b"200"] and int(done.stdout.split()[0]) > 900000


def test_without_standard_input_it_is_empty(run):
    assert run("print(repr(sys.stdin.read()))").stdout == b"''\n"


def test_its_report_and_exit_status_are_passed_on(run):
    told = json.dumps({"error": None, "result": "7"})
    done = run(f"report({told!r})\nsys.exit(7)")

    assert (done.status, done.exit_code, done.report.decode()) == ("failed", 7, told)


def test_a_status_behind_the_report_ends_the_job(run):
    began = time.monotonic()
    done = run("link.sendall(struct.pack('<I', 2) + b'{}' + bytes([9]))\nimport time\n"
               "time.sleep(30)")

    assert (done.status, done.exit_code, done.report) == ("failed", 9, b"{}")
    assert time.monotonic() - began < 10


def test_half_a_report_is_waited_for_in_vain(run):
    done = run("link.sendall(struct.pack('<I', 100) + b'{}')\nwhile True: pass", wall_ms=500)

    assert (done.status, done.report) == ("timed_out", b"")


def test_it_dies_of_the_signal_it_dies_of(run):
    done = run("os.kill(os.getpid(), 15)")

    assert (done.status, done.signal) == ("killed", 15)


REPORTS = {
    "cut off": "link.sendall(struct.pack('<I', 100) + b'{}')",
    "too long": "link.sendall(struct.pack('<I', 1 << 31) + b'x' * 100000)",
    "empty": "link.sendall(struct.pack('<I', 0))",
    "half a number": "link.sendall(b'12')",
    "none": "",
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_that_is_none_is_left_out(run, name):
    done = run(REPORTS[name] + "\nprint('end')")

    assert (done.status, done.stdout, done.report) == ("succeeded", b"end\n", b""), done


def test_a_child_that_keeps_the_link_open_does_not_keep_the_answer(run):
    began = time.monotonic()
    done = run("if not os.fork():\n    import time; time.sleep(60)\nprint('end', flush=True)\n"
               "os._exit(0)")

    assert done.stdout == b"end\n" and time.monotonic() - began < 20


def test_nothing_runs_between_jobs(run):
    """The program is started for each worker, and the launcher is not the job's process."""
    pids = {run("print(os.getpid(), os.getppid())").stdout for _ in range(3)}

    assert pids == {b"3 2\n"}


def test_it_holds_nothing_but_its_four_descriptors(run):
    code = ("held = []\nfor fd in range(1024):\n    try:\n        os.fstat(fd)\n"
            "        held.append(fd)\n    except OSError:\n        pass\nprint(held)")

    assert run(code).stdout == b"[0, 1, 2, 3]\n"


# --- limits are the program's, not the launcher's ------------------------------------------------

def test_the_jobs_limits_hold_for_the_program(run):
    done = run("import resource as r\nprint(r.getrlimit(r.RLIMIT_NOFILE)[1], "
               "r.getrlimit(r.RLIMIT_FSIZE)[1])", open_files=77, workspace_bytes=1 << 20)

    assert done.stdout.split() == [b"77", b"1048576"], done


def test_time_and_memory_and_output(run):
    assert run("while True: pass", wall_ms=300).limit_hit == "wall"
    assert run("while True: pass", cpu_ms=200).limit_hit == "cpu"
    assert run("x = []\nwhile True: x.append(bytes(1 << 20))",
               memory_bytes=64 << 20).status in ("memory_exceeded", "failed")
    assert run("print('x' * 100000)", output_bytes=1024).limit_hit == "stdout"


def test_the_launcher_is_no_process_of_the_job(run):
    done = run("pass")

    assert done.processes_peak <= 1 and done.events == [], done.events
    assert run("if not os.fork(): os._exit(0)\nos.wait()", processes=2).status == "succeeded"


def test_what_the_job_starts_and_tries_is_told(run):
    done = run("import subprocess\nsubprocess.run(['/bin/true'])\ntry: socket.socket()\n"
               "except OSError: pass")
    kinds = {event["kind"]: event for event in done.events}

    assert {"program_started", "network_denied"} <= set(kinds), done.events
    assert kinds["program_started"]["count"] == 1, done.events


# --- what does not get ready ---------------------------------------------------------------------

BROKEN = {
    "ends": ("import sys; sys.exit(5)", "exit code 5"),
    "says something else": ("import os; os.write(3, b'Q')", "did not say that it is ready"),
    "prints": ("import os, time; os.write(1, b'hello'); time.sleep(1); os.write(3, b'R')",
               "printed before it had a job"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_program_that_does_not_get_ready_is_an_error_at_the_start(name):
    script, why = BROKEN[name]
    warden = Warden(instance="broken", runtimes=[message(script)])
    try:
        with pytest.raises(RuntimeError, match=why):
            warden.wait_ready()
    finally:
        warden.close()


def test_no_descriptor_of_the_warden_is_left_behind(warden, run):
    before = len(os.listdir(f"/proc/{warden.process.pid}/fd"))
    for _ in range(20):
        run("pass")
    warden.wait_pool(lambda pool: pool["ready"] == 2)

    # A worker may be under way at either moment.
    assert abs(len(os.listdir(f"/proc/{warden.process.pid}/fd")) - before) <= 16


def test_a_program_that_prints_while_it_waits_gets_no_job():
    chatty = INTERPRETER.replace('link.sendall(b"R")', """link.sendall(b"R")
import select
if not select.select([link], [], [], 0.5)[0]:
    os.write(1, b"late")""")
    warden = Warden(instance="chatty", runtimes=[message(chatty)]).wait_ready()
    try:
        time.sleep(1)
        done = warden.run("print('mine')", runtime="toy")
        assert (done.status, done.stdout) == ("succeeded", b"mine\n"), done
    finally:
        warden.close()
