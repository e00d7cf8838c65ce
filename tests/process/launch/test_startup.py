"""Bash waits for its job at its start-up file. A script cannot tell: each is run by such a bash and
by one that the worker becomes when the job comes, and all that it can see of its shell is the same."""

import time

import pytest
from slow import SLOW
from warden_service import BASH, Warden, bash_message, runtime_message

LATE = [entry for entry in BASH if entry[0] != "startup"]

# Left out: what is never the same, and what a command before the script leaves in a shell without
# a script's seeing more of it than this: BASH_ARGC, BASH_ARGV (not to be relied on outside of
# extdebug, says the manual), that SECONDS has been read, the status of the last pipe.
PROBES = {
    "names": 'echo "$0 $# $* $- $SHLVL $_ $? $BASH_SOURCE $LINENO ${FUNCNAME-}"',
    "what only a start sets": 'echo "${BASH_ENV-unset} ${BASH_EXECUTION_STRING-unset} ${ENV-unset}"',
    "exported": "export -p",
    "all variables": "declare -p | grep -v -e 'BASHPID=' -e 'PPID=' -e 'RANDOM=' -e 'BASH_ARG' -e '-- SECONDS' -e PIPESTATUS -e 'EPOCH'",
    "all functions": "declare -F; alias; trap; hash 2>&1; jobs; set -o; shopt",
    "environment of a program": "env | sort; ulimit -a | grep -v -e processes -e 'virtual memory'; umask",
    "descriptors": "python3 -c 'import os\nprint([n for n in range(99) if os.path.exists(n)])'",
    "call stack": 'f() { caller 0; echo "${BASH_LINENO[*]} ${BASH_SOURCE[*]} ${FUNCNAME[*]}"; }\nf',
    "error": "set -u\n\necho $none",
    "error of a command": "\nno-such-command; cd /none; [ 1 -eq x ]",
    "syntax": "echo one\n\nif then",
    "return": "return 3\necho $?",
    "exit in the middle": "(exit 4); echo $?; exit 5; echo not",
    "errexit": "set -e\ntrap 'echo at $LINENO' ERR\nfalse\necho not",
    "trap": "trap 'echo bye $?' EXIT; trap 'echo term' TERM; kill $$; exit 3",
    "its group": "trap 'echo term; exit 7' TERM; kill 0; sleep 1",
    "everybody": "trap '' TERM HUP USR1; for s in TERM HUP USR1; do kill -$s -1; done 2>/dev/null; echo on",
    "signal": "kill -USR2 $$",
    "input": "read -r a; echo $a; cat; [ -t 0 ]; echo $?",
    "input of a child": "cat & wait; (read -r x; echo $x)",
    "replaced": "exec sh -c 'echo $0 $PWD'",
    "sources itself": "[ $SHLVL = 1 ] && { echo 'echo $1 $LINENO' > f; . ./f x; rm f; }",
    "verbose": "set -xv\necho one\n: $((1 + 2))",
    "extended": "shopt -s extdebug; f() { echo ${BASH_ARGC[0]} ${BASH_ARGV[0]}; }; f a b",
    "substitution": 'x=$(echo "$0"; exit 3); echo $x $?; echo `echo $LINENO`',
    "no newline at the end": "echo end",
    "carriage returns": "echo a\r\n",
    "reads on": "exec < /tmp/main.sh; read -r line; echo $line",
}
JOBS = {
    "plain": {},
    "arguments": {"args": ["a b", "*", "", "it's", "-e", "$x`y`\\\n", "\x01\x7f\xff", "é"]},
    "variables": {"env": [("X", "y\n'z"), ("PS4", "> "), ("IFS", ":"), ("PWD", "/tmp"), ("UID", "5"),
                          ("SHELLOPTS", "noglob"), ("LC_ALL", "C"), ("HOME", "/tmp"), ("_", "u"),
                          ("POSIXLY_CORRECT", "1"), ("SHLVL", "4"), ("OPTIND", "9"), ("E", "")]},
    "both": {"args": ["one", "'"], "env": [("BASH_ENV", "/workspace/b"), ("X", "\x01\x7f\xff")],
             "files": [("b", b"echo started up with $# $0\n")]},
}


@pytest.fixture(scope="module")
def shells():
    late = runtime_message("late", "casemate-launch", seccomp="bash", low=1, high=2, start="exec",
                           plan=LATE)
    warden = Warden(instance="startup", workers=6, runtimes=[bash_message(), late]).wait_ready()
    yield lambda code, **options: [warden.run(code, runtime=name, **options)
                                   for name in ("bash", "late")]
    warden.close()


def seen(done):
    return done.status, done.exit_code, done.signal, done.stdout, done.stderr


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("probe", PROBES)
def test_a_script_sees_no_difference(shells, probe, job):
    ahead, late = shells(PROBES[probe], stdin=b"one\ntwo\nthree\n", **JOBS[job])

    assert seen(ahead) == seen(late)


def test_the_probes_show_something(shells):
    """Or the comparison above would hold of two shells that do not run."""
    for name in ("names", "exported", "all variables", "environment of a program", "verbose"):
        assert any(done.stdout or done.stderr for done in shells(PROBES[name])), name


def test_how_long_it_has_waited_is_not_seen(shells):
    """Whole seconds of the clock: 1 when one has just ended, so the two need not be equal."""
    time.sleep(3 * SLOW)

    assert all(int(done.stdout) < 2 * SLOW for done in shells("echo $SECONDS"))


def test_it_was_started_before(shells):
    ahead, late = shells("echo $$ $PPID")

    assert (ahead.stdout, late.stdout) == (b"3 2\n", b"2 0\n")


@pytest.mark.parametrize("job", JOBS)
def test_its_own_starts_are_no_events_of_the_job(shells, job):
    ahead, late = shells(": quiet", **JOBS[job])

    assert ahead.events == late.events == []


def test_what_the_job_starts_is_told_with_variables_too(shells):
    for options in JOBS.values():
        for done in shells("exec /usr/bin/env -i X=1 /usr/bin/true", **options):
            told = [event["target"] for event in done.events if event["kind"] == "program_started"]
            assert told == ["/usr/bin/env", "/usr/bin/true"], (options, done.events)


def test_a_job_cannot_get_at_what_started_it(shells):
    """Not at the pipe either, which is removed before there is a job."""
    ahead, _ = shells("ls -A /tmp; kill -9 -1; echo not reached by the answer")

    assert ahead.stdout.startswith(b"main.sh\n")


def test_many_and_large_arguments_and_variables(shells):
    arguments = ["'" * 8000] * 100
    done, _ = shells('echo $# ${#1} ${#100}', args=arguments)
    with_variables, _ = shells('echo $# ${#100} ${#X}', args=arguments, env=[("X", "'" * 32000)])

    assert done.stdout == b"100 8000 8000\n"
    assert with_variables.stdout == b"100 8000 32000\n"


def test_too_much_for_a_start_is_an_error_and_no_hang(shells):
    for done in shells("echo never", env=[(f"X{n}", "x" * 32000) for n in range(100)]):
        assert done.stdout == b"" and done.exit_code == 126 and b"rgument list too long" in done.stderr


def test_a_program_that_does_not_read_the_file_is_an_error_at_the_start():
    plan = [("argv", "/usr/bin/true" if key == "argv" and value == "/usr/bin/bash" else value)
            if key == "argv" else (key, value) for key, value in BASH]
    warden = Warden(instance="broken", runtimes=[bash_message(plan=plan)])
    try:
        with pytest.raises(RuntimeError, match="did not read its start-up file.*exit code 0"):
            warden.wait_ready()
    finally:
        warden.close()
