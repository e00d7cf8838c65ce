"""Scripts of bash in a cell: what they see, how they end, what stops them."""

import os
import subprocess

import pytest
from warden_service import Warden, bash_message

MIB = 1 << 20

# Scripts whose streams and exit status must be those of `bash main.sh`.
SAME_AS_BASH = {
    "nothing": "",
    "echo": "echo hello; printf '%s\\n' \"$((1 + 2))\"",
    "unicode": "echo 'é€😀'",
    "status": "exit 3",
    "status of the last": "true\nfalse",
    "unbound": "set -u\necho $missing",
    "pipe": "set -o pipefail\nseq 1000 | grep 7 | wc -l\nfalse | true",
    "here": "cat <<END\nline $((6 * 7))\nEND",
    "function": "f() { local x=$1; echo \"$x\"; return 4; }\nf one\necho $?",
    "array": "a=(1 'b c' 3)\necho \"${#a[@]} ${a[1]}\"\ndeclare -A m=([k]=v)\necho ${m[k]}",
    "trap": "trap 'echo bye' EXIT\necho hi\nexit 5",
    "no command": "no-such-command",
    "syntax": "echo one\nif then",
    "errexit": "set -e\necho before\nfalse\necho after",
    "input": "read -r a; read -r b; echo \"$b $a\"",
    "rest of input": "read -r a; cat",
    "background": "(sleep 0.05; echo late) & wait; echo done",
    "process group": "set -m; sleep 0.01 & wait $!; echo $?",
    "signal": "kill -TERM $$",
    "abort": "kill -ABRT $$",
    "awk": "printf '1 2\\n3 4\\n' | awk '{ s += $2 } END { print s }'",
    "sed": "echo abc | sed 's/b/x/'",
    "jq": "echo '{\"a\": [1, 2]}' | jq -c '.a[1]'",
    "sort": "printf '3\\n1\\n2\\n' | sort -n | head -n 2",
    "find": "mkdir -p a/b && touch a/b/c && find a -type f && rm -r a",
    "tar": "echo x > f && tar cf t.tar f && tar tf t.tar && rm f t.tar",
    "date": "date -u -d @0 +%F",
    "temporary": "t=$(mktemp) && echo kept > \"$t\" && cat \"$t\"",
    "long line": "x=$(printf 'a%.0s' {1..50000}); echo ${#x}",
}


@pytest.mark.parametrize("name", SAME_AS_BASH)
def test_ends_as_bash_does(bash, name, tmp_path):
    code = SAME_AS_BASH[name]
    (tmp_path / "main.sh").write_text(code)
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    want = subprocess.run(["/usr/bin/bash", "main.sh"], cwd=tmp_path, input=b"one\ntwo\n",
                          capture_output=True, env=environment, timeout=20)

    done = bash(code, stdin=b"one\ntwo\n")

    assert done.stdout == want.stdout
    # The code lies beside the workspace, where it is no file of the job's.
    assert done.stderr.replace(b"/tmp/main.sh", b"main.sh") == want.stderr
    if want.returncode < 0:
        assert done.signal == -want.returncode
    else:
        assert done.exit_code == want.returncode
    assert done.status == ("succeeded" if want.returncode == 0 else
                           "failed" if want.returncode > 0 else "killed")


def test_arguments_and_environment(bash):
    done = bash('echo "$#:$1:$2:$X:$HOME:$(pwd)"', args=["a b", "*"], env=[("X", "y\nz")])

    assert done.stdout == b"2:a b:*:y\nz:/workspace:/workspace\n"


def test_the_jobs_own_variables_win(bash):
    assert bash("echo $LC_CTYPE $TMPDIR", env=[("LC_CTYPE", "C"), ("TMPDIR", "/x")]).stdout == b"C /x\n"


def test_files_go_in_and_come_out(bash):
    done = bash("tr a-z A-Z < in/a.txt > out.txt; ls", files=[("in/a.txt", b"hello")])

    assert done.stdout == b"in\nout.txt\n"
    assert [(name, data) for name, _, data in done.files] == [("out.txt", b"HELLO")]


def test_a_script_of_the_largest_size_runs(bash):
    code = "echo start\n" + "#" * (MIB - 100) + "\necho end\n"

    assert bash(code).stdout == b"start\nend\n"


def test_a_quiet_script_has_no_events(bash):
    assert bash("for i in 1 2 3; do echo $i; done").events == []


def test_it_holds_nothing_but_its_streams(bash):
    code = ("exec python3 -c 'import os\nfor fd in range(1024):\n try: os.fstat(fd); print(fd)\n"
            " except OSError: pass'")

    assert bash(code).stdout.split() == [b"0", b"1", b"2"]


# --- limits ---------------------------------------------------------------------------------------

def test_time(bash):
    assert bash("sleep 60", wall_ms=300).limit_hit == "wall"
    assert bash("while :; do :; done", cpu_ms=200).limit_hit == "cpu"


def test_memory(bash):
    done = bash("x=a; while :; do x=$x$x; done", memory_bytes=64 * MIB)

    assert done.status in ("memory_exceeded", "failed"), done
    assert done.status == "memory_exceeded" or b"cannot allocate" in done.stderr


def test_output(bash):
    done = bash("yes", output_bytes=4096)

    assert (done.status, done.limit_hit, len(done.stdout)) == ("output_exceeded", "stdout", 4096)


def test_a_fork_bomb_harms_only_itself(bash):
    done = bash(":(){ :|:& };:; sleep 1", processes=16, wall_ms=3000)

    assert done.status in ("failed", "succeeded", "timed_out", "killed"), done
    assert bash("echo fine").stdout == b"fine\n"


def test_what_it_leaves_running_is_killed(bash):
    bash("sleep 1000 & sleep 1000 & disown -a")

    assert bash("ls /proc 2>&1; echo $$").stdout.splitlines()[-1] == b"3"


def test_files_are_limited(bash):
    done = bash("head -c 3000000 /dev/zero > big", workspace_bytes=MIB)

    assert done.exit_code != 0, done


# --- denials and walls ----------------------------------------------------------------------------

def test_denials_are_events(bash):
    done = bash("exec 3<>/dev/tcp/192.0.2.1/80; unshare -r true; mount -t tmpfs x /tmp; echo end")
    kinds = {event["kind"]: event for event in done.events}

    assert done.stdout == b"end\n"
    assert {"network_denied", "namespace_denied", "mount_denied", "program_started"} <= set(kinds)
    assert kinds["network_denied"]["call"] == "socket"


def test_names_of_users_are_looked_up_without_an_alarm(bash):
    """libc asks for the socket of its cache before it reads /etc/passwd."""
    done = bash("touch f; ls -l f; tar cf t.tar f; id -un; id -gn; stat -c %U:%G f; echo ~job")
    told = {(event["kind"], event["severity"]) for event in done.events}

    assert b" job job " in done.stdout and b"\njob\njob\njob:job\n/workspace\n" in done.stdout
    assert ("network_denied", "info") in told, "no lookup: what is tried here is nothing"
    assert {severity for _, severity in told} == {"info"}, done.events


def test_programs_are_told_of_but_not_bash_itself(bash):
    done = bash("true; /bin/true; env true > /dev/null")
    started = [event["target"] or event["detail"] for event in done.events
               if event["kind"] == "program_started"]

    assert started and not any("bash" in text for text in started), done.events


def test_a_program_of_its_own_does_not_run(bash):
    done = bash("cp /bin/true own; chmod +x own; ./own; echo $?")

    assert done.stdout == b"126\n"
    assert "program_denied" in {event["kind"] for event in done.events}


def test_nothing_crosses_from_job_to_job(bash):
    bash("echo secret > /tmp/s; echo secret > left; (sleep 100; echo late) &")
    done = bash("ls -A /tmp /workspace; ls /dev/shm; kill -0 4 2>&1 | head -c 9")

    assert b"secret" not in done.stdout and b" s\n" not in done.stdout
    assert done.stdout.split(b"\n")[:4] == [b"/tmp:", b"main.sh", b"", b"/workspace:"]


@pytest.mark.parametrize("path", ["/etc/shadow", "/root", "/home", "/proc/1/environ", "/sys",
                                  "/run", "/var"])
def test_the_host_is_not_there(bash, path):
    assert bash(f"cat {path} || ls {path}").exit_code != 0


def test_the_system_cannot_be_changed(bash):
    for target in ("/usr/bin/x", "/etc/x", "/x", "/dev/x"):
        assert bash(f"echo x > {target}").exit_code != 0


# --- what does not start --------------------------------------------------------------------------

PLANS = {
    "no program": ([("argv", "/usr/bin/no-such"), ("argv", "{code}"), ("code", "a"),
                    ("version", "/usr/bin/bash"), ("version", "--version")], "no-such"),
    "no version": ([("argv", "/usr/bin/bash"), ("code", "a"), ("version", "/usr/bin/true")],
                   "version"),
    "no file and not ahead": ([("argv", "/usr/bin/bash"), ("version", "/usr/bin/bash")],
                              "started ahead"),
    "a path": ([("argv", "/usr/bin/bash"), ("code", "../a"), ("version", "/usr/bin/bash")],
               "no name for"),
    "not absolute": ([("argv", "bash"), ("code", "a"), ("version", "/usr/bin/bash")], "absolute"),
    "unknown": ([("argu", "/usr/bin/bash")], "unknown"),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_cannot_be_is_an_error_at_the_start(name):
    plan, why = PLANS[name]
    warden = Warden(instance="broken", runtimes=[bash_message(plan=plan)])
    try:
        with pytest.raises(RuntimeError, match=why):
            warden.wait_ready()
    finally:
        warden.close()


def test_the_launcher_does_not_grow(warden, bash):
    launcher = warden.program("casemate-launch")

    def size():
        with open(f"/proc/{launcher}/statm") as statm:
            return len(os.listdir(f"/proc/{launcher}/fd")), int(statm.read().split()[0])

    for _ in range(5):
        bash("true")
    before = size()
    for _ in range(50):
        bash("true")

    assert size()[1] == before[1] and abs(size()[0] - before[0]) <= 10
