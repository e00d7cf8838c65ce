"""JavaScript through the whole service."""

import subprocess

import pytest


def run(client, code, **fields):
    answer = client.post({"language": "javascript", "code": code, **fields})
    assert answer.status == 200, answer
    return answer.json


def test_it_is_listed_with_its_version(client):
    listed = {entry["name"]: entry for entry in client.get("/v1/runtimes").json["runtimes"]}

    told = subprocess.run(["/usr/bin/node", "--version"], capture_output=True, text=True)
    assert "v" + listed["javascript"]["version"] == told.stdout.strip()


def test_success(client):
    document = run(
        client,
        "const fs = require('fs')\n"
        "console.log(process.argv.slice(2), process.env.X, fs.readFileSync(0, 'utf8'))\n"
        "fs.copyFileSync('in.txt', 'out.txt')\n"
        "const total = [1, 2, 3].reduce((a, b) => a + b);\n({ total })\n",
        args=["a b"], env={"X": "y"}, stdin="typed",
        files=[{"path": "in.txt", "content": "inside"}])

    assert (document["status"], document["exit_code"]) == ("succeeded", 0)
    assert (document["stdout"], document["stderr"]) == ("[ 'a b' ] y typed\n", "")
    assert document["result"] == "{ total: 6 }" and document["error"] is None
    assert [(file["path"], file["content"]) for file in document["files"]] == [
        ("out.txt", "inside")]
    assert [event["kind"] for event in document["events"]] == ["files_left"]


def test_an_error_has_the_callers_own_lines(client):
    document = run(client, "function f() {\n  return missing\n}\n\nf()\n")

    assert (document["status"], document["exit_code"]) == ("failed", 1)
    assert document["error"] == {
        "name": "ReferenceError", "message": "missing is not defined",
        "traceback": "main.js:2\n  return missing\n  ^\n\nReferenceError: missing is not defined\n"
                     "    at f (main.js:2:3)\n    at Object.<anonymous> (main.js:5:1)"}
    assert document["stderr"] == document["error"]["traceback"] + "\n"


def test_a_syntax_error_has_its_line(client):
    error = run(client, "const a = 1\nconst a = 2\n")["error"]

    assert error["name"] == "SyntaxError"
    assert error["traceback"].startswith("main.js:2\nconst a = 2\n      ^")


def test_modules(client):
    document = run(client, "import { up } from './lib.mjs'\nawait null\nup(1)\n",
                   files=[{"path": "lib.mjs", "content": "export const up = (n) => n + 1\n"}])

    assert (document["status"], document["result"], document["files"]) == ("succeeded", "2", [])


@pytest.mark.parametrize("code, status, exit_code, signal", [
    ("process.exit(7)", "failed", 7, None),
    ("Promise.reject(new Error('x'))", "failed", 1, None),
    ("process.abort()", "killed", None, "SIGABRT"),
])
def test_failure(client, code, status, exit_code, signal):
    document = run(client, code)

    assert (document["status"], document["exit_code"], document["signal"]) == (
        status, exit_code, signal)


@pytest.mark.parametrize("code, limits, status", [
    ("setInterval(() => {}, 9)", {"wall_ms": 300}, "timed_out"),
    ("while (true) {}", {"cpu_ms": 300}, "timed_out"),
    ("while (true) console.log('x'.repeat(99))", {"output_bytes": 2048}, "output_exceeded"),
])
def test_limits(client, code, limits, status):
    assert run(client, code, limits=limits)["status"] == status


def test_the_network_is_denied_with_a_hint(client):
    document = run(client, "require('net').connect(80, '192.0.2.1')\n"
                           "  .on('error', (e) => console.log(e.code))")
    network = next(event for event in document["events"] if event["kind"] == "network_denied")

    assert document["stdout"] == "EPERM\n"
    assert network["severity"] == "low" and "network is off" in network["hint"]


def test_casemate_exec_runs_it(service):
    done = service.tool("exec", "--language", "javascript", "--url", service.url, "--pki",
                        str(service.pki), "--arg", "x", "-",
                        input="console.log(process.argv[2])\nprocess.exit(3)", check=False)

    assert (done.returncode, done.stdout) == (3, "x\n"), done
