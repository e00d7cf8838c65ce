"""Bash through the whole service: the second runtime that comes with it."""

import json

import pytest

DENIALS = "exec 3<>/dev/tcp/192.0.2.1/80; unshare -r true; touch left"


def run(client, code, **fields):
    answer = client.post({"language": "bash", "code": code, **fields})
    assert answer.status == 200, answer
    return answer.json


def test_it_is_listed_with_its_version(client):
    listed = {entry["name"]: entry for entry in client.get("/v1/runtimes").json["runtimes"]}

    assert {"bash", "python"} <= set(listed)
    assert listed["bash"]["version"].startswith("5.") and listed["bash"]["modules"] == []


def test_success(client):
    document = run(client, 'echo "hello $1 $X"; cat; cat in.txt > out.txt', args=["world"],
                   env={"X": "y"}, stdin="typed\n", files=[{"path": "in.txt", "content": "inside"}])

    assert (document["status"], document["exit_code"]) == ("succeeded", 0)
    assert document["runtime"] == "bash" and document["error"] is None
    assert (document["stdout"], document["stderr"]) == ("hello world y\ntyped\n", "")
    assert [entry["path"] for entry in document["files"]] == ["out.txt"]
    assert document["events"][0]["kind"] in ("program_started", "files_left")


@pytest.mark.parametrize("code, status, exit_code, signal", [
    ("exit 7", "failed", 7, None),
    ("no-such-command", "failed", 127, None),
    ("kill -SEGV $$", "killed", None, "SIGSEGV"),
])
def test_failure(client, code, status, exit_code, signal):
    document = run(client, code)

    assert (document["status"], document["exit_code"], document["signal"]) == (
        status, exit_code, signal)


@pytest.mark.parametrize("code, limits, status", [
    ("sleep 100", {"wall_ms": 300}, "timed_out"),
    ("while :; do :; done", {"cpu_ms": 200}, "timed_out"),
    ("yes", {"output_bytes": 2048}, "output_exceeded"),
])
def test_limits(client, code, limits, status):
    assert run(client, code, limits=limits)["status"] == status


def test_a_fork_bomb_harms_nobody(client):
    run(client, ":(){ :|:& };:; sleep 1", limits={"processes": 16, "wall_ms": 3000})

    assert run(client, "echo fine")["stdout"] == "fine\n"
    assert client.run("print('fine')")["stdout"] == "fine\n"


def test_denials_are_events_and_on_record(service, client):
    document = run(client, DENIALS)
    kinds = {event["kind"] for event in document["events"]}

    assert {"network_denied", "namespace_denied", "files_left"} <= kinds
    body = service.query("SELECT body FROM records WHERE execution_id = ? AND kind = ?",
                         document["id"], "execution_finished")[0][0]
    assert json.loads(body)["events"]["network_denied"] == 1


def test_nothing_crosses_between_languages(client):
    run(client, "echo secret > left; echo secret > /tmp/left; (sleep 100 &) ")
    document = client.run("import os\nprint(os.listdir('/workspace'), os.listdir('/tmp'))")

    assert document["stdout"] == "[] []\n"


def test_the_command_line_runs_it(service):
    done = service.tool("exec", "--url", f"https://localhost:{service.port}", "--pki",
                        service.pki, "--language", "bash", "-", input="echo $((6*7))")

    assert (done.returncode, done.stdout) == (0, "42\n"), done
