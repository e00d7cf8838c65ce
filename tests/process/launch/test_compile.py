"""The step before the run, with bash in the compiler's place: what the code says happens."""

import json

import pytest
from warden_service import Warden, runtime_message

# The code's first line is the compiler's script, the rest is the program.
COMPILER = "sed 1d main.code > main; eval \"$(head -n 1 main.code)\""
PLAN = [("argv", "/usr/bin/bash"), ("argv", "{tmp}/main"), ("argv", "{args}"),
        ("code", "main.code"), ("compile", "/usr/bin/bash"), ("compile", "-c"),
        ("compile", COMPILER), ("compile_wall_ms", "1500"), ("compile_cpu_ms", "1000"),
        ("env", "SHELL=/bin/bash"), ("version", "/usr/bin/bash"), ("version", "--version")]


@pytest.fixture(scope="module")
def warden():
    message = runtime_message("made", "casemate-launch", seccomp="c", low=1, high=2, start="exec",
                              plan=PLAN, compile_ms=(1500, 1000))
    warden = Warden(instance="compile", runtimes=[message]).wait_ready()
    yield warden
    warden.close()


@pytest.fixture
def run(warden):
    return lambda compiler, program="", **options: warden.run(
        f"{compiler}\n{program}", runtime="made", **options)


def test_it_runs_what_was_made(run):
    done = run("true", "read -r line; echo $1 $line; exit 3", args=["x"], stdin=b"typed\n")

    assert (done.stdout, done.stderr, done.exit_code) == (b"x typed\n", b"", 3)
    assert done.report == b"" and done.events == []


def test_what_the_compiler_says_is_on_standard_error(run):
    done = run("echo note; echo warning >&2", "echo ran; echo own >&2")

    assert (done.stdout, done.stderr) == (b"ran\n", b"note\nwarning\nown\n")


def test_a_failure_ends_the_job_with_a_report(run):
    done = run("echo first; echo 'x:1: error: bad \"thing\"'; printf '\\\\377\\\\0'; exit 2", "echo ran")
    error = json.loads(done.report)["error"]

    assert (done.status, done.exit_code, done.stdout) == ("failed", 1, b"")
    assert error["name"] == "CompileError" and error["message"] == 'x:1: error: bad "thing"'
    assert error["traceback"].startswith("first\n") and done.stderr.startswith(b"first\n")


def test_a_silent_failure_has_a_report_too(run):
    assert json.loads(run("exit 1").report)["error"]["message"] == ""


def test_a_compiler_that_dies_says_so(run):
    done = run("echo 'x:1: error: bad'; kill -SEGV $$")

    assert done.status == "failed" and b"ended by signal 11" in done.stderr, done
    assert "ended by signal 11" in json.loads(done.report)["error"]["message"]


@pytest.mark.parametrize("script", ["echo 'x:1: error: bad'; sleep 60", "sleep 60 & sleep 60", "exec sleep 60 >&- 2>&-"])
def test_its_time_is_limited(run, script):
    done = run(script)

    assert done.status == "failed" and b"longer than 1500 ms" in done.stderr, done
    error = json.loads(done.report)["error"]
    assert error["name"] == "CompileTimeout" and "longer than 1500 ms" in error["message"]


def test_its_processor_time_is_limited(run):
    assert run("while :; do :; done").status in ("failed", "timed_out")


def test_the_jobs_own_time_begins_with_the_run(run):
    done = run("sleep 0.5", "echo ran", wall_ms=300)

    assert (done.status, done.stdout) == ("succeeded", b"ran\n") and done.wall_us < 300000, done
    assert run("true", "sleep 9", wall_ms=300).limit_hit == "wall"


def test_it_does_not_read_the_jobs_input(run):
    assert run("cat", "cat", stdin=b"typed").stdout == b"typed"


def test_what_it_leaves_behind_does_not_run_on(run, warden):
    run("setsid sleep 1000 >/dev/null 2>&1 &", "true")

    assert "sleep" not in warden.children().values()


def test_what_it_tries_is_told(run):
    done = run("exec 3<>/dev/tcp/192.0.2.1/80; true", "true")

    assert "network_denied" in {event["kind"] for event in done.events}


PLANS = {
    "no times": [entry for entry in PLAN if entry[0] != "compile_wall_ms"],
    "no number": PLAN + [("compile_cpu_ms", "1s")],
    "no program": [("compile", "/no/such")] + PLAN,
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_cannot_be_is_an_error_at_the_start(name):
    message = runtime_message("made", "casemate-launch", start="exec", plan=PLANS[name])
    warden = Warden(instance="broken", runtimes=[message])
    try:
        with pytest.raises(RuntimeError, match="compiler|time|no/such"):
            warden.wait_ready()
    finally:
        warden.close()
