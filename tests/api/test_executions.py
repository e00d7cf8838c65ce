"""The main job: a caller posts Python and reads the answer."""

import hashlib
import json
import re

import pytest
from service import text

ULID = re.compile(r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")


def test_print_comes_back(client):
    answer = client.post({"language": "python", "code": "print(1)"})
    document = answer.json

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["location"] == f"/v1/executions/{document['id']}"
    assert ULID.match(document["id"])
    assert document["status"] == "succeeded"
    assert (document["stdout"], document["stderr"]) == ("1\n", "")
    assert document["stdout_encoding"] == "utf-8"
    assert document["exit_code"] == 0 and document["signal"] is None
    assert document["error"] is None and document["result"] is None
    assert document["files"] == []
    assert not document["stdout_truncated"] and not document["stderr_truncated"]
    assert document["usage"]["wall_ms"] > 0 and document["usage"]["cpu_ms"] >= 0
    assert set(document["timings_us"]) >= {"receive", "validate", "queue", "run", "total"}
    assert document["isolation"]["level"] == "full"
    assert re.match(r"^[0-9a-f]{64}$", document["record"]["hash"])


def test_last_expression_is_the_result(client):
    assert client.run("x = 20\nx * 2 + 2")["result"] == "42"
    assert client.run("x = 1")["result"] is None
    assert client.run("None")["result"] is None
    assert client.run("'a\\n'")["result"] == r"'a\n'"


def test_error_has_the_callers_own_lines(client):
    document = client.run("def f():\n    return 1 / 0\n\nf()\n")

    assert document["status"] == "failed" and document["exit_code"] == 1
    assert document["error"]["name"] == "ZeroDivisionError"
    assert document["error"]["message"] == "division by zero"
    assert 'line 4, in <module>' in document["error"]["traceback"]
    assert 'line 2, in f' in document["error"]["traceback"]
    assert "return 1 / 0" in document["error"]["traceback"]
    assert document["stderr"].startswith("Traceback (most recent call last):")


def test_syntax_error_is_a_failed_job_not_an_http_error(client):
    document = client.run("x = (1,\nprint(x)\n")

    assert document["status"] == "failed"
    assert document["error"]["name"] == "SyntaxError"
    assert "line 1" in document["error"]["traceback"]


@pytest.mark.parametrize(
    "code,exit_code",
    [("import sys; sys.exit(7)", 7), ("import os; os._exit(9)", 9), ("raise SystemExit", 0)],
)
def test_exit_codes(client, code, exit_code):
    document = client.run(code)

    assert document["exit_code"] == exit_code
    assert document["status"] == ("succeeded" if exit_code == 0 else "failed")


def test_signals_are_named(client):
    document = client.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (document["status"], document["signal"]) == ("killed", "SIGKILL")
    assert document["exit_code"] is None

    document = client.run("import os; os.abort()")
    assert (document["status"], document["signal"]) == ("killed", "SIGABRT")


def test_stdin_args_env_and_files(client):
    document = client.run(
        "import sys, os\n"
        "print(sys.stdin.read().upper(), sys.argv[1:], os.environ['NAME'], end='|')\n"
        "print(open('data/in.txt').read(), open('raw.bin', 'rb').read())\n",
        stdin="hello",
        args=["a b", "ü"],
        env={"NAME": "välue"},
        files=[
            {"path": "data/in.txt", "content": "text ✓"},
            {"path": "raw.bin", "content": "AP8=", "encoding": "base64"},
        ],
    )

    assert document["stdout"] == "HELLO ['a b', 'ü'] välue|text ✓ b'\\x00\\xff'\n"
    assert document["files"] == []


def test_files_created_or_changed_come_back(client):
    document = client.run(
        "import os\n"
        "os.makedirs('out')\n"
        "open('out/a.txt', 'w').write('new')\n"
        "open('same.txt').read()\n"
        "open('changed.txt', 'a').write('!')\n"
        "open('b.bin', 'wb').write(bytes(range(256)))\n"
        "os.symlink('/etc/passwd', 'link')\n"
        "os.mkfifo('pipe') if hasattr(os, 'mkfifo') and False else None\n",
        files=[
            {"path": "same.txt", "content": "same"},
            {"path": "changed.txt", "content": "changed"},
        ],
    )
    files = {entry["path"]: entry for entry in document["files"]}

    assert set(files) == {"out/a.txt", "changed.txt", "b.bin"}
    assert files["out/a.txt"]["content"] == "new"
    assert files["out/a.txt"]["encoding"] == "utf-8"
    assert files["out/a.txt"]["size"] == 3
    assert files["out/a.txt"]["sha256"] == hashlib.sha256(b"new").hexdigest()
    assert files["changed.txt"]["content"] == "changed!"
    assert files["b.bin"]["encoding"] == "base64"
    assert files["b.bin"]["sha256"] == hashlib.sha256(bytes(range(256))).hexdigest()


def test_output_that_is_not_utf8_comes_as_base64(client):
    document = client.run("import sys; sys.stdout.buffer.write(b'\\xff\\x00\\xfe')")

    assert document["stdout_encoding"] == "base64"
    assert text(document) == b"\xff\x00\xfe"


def test_null_means_default(client):
    document = client.run(
        "print(1)", stdin=None, args=None, env=None, files=None, limits=None
    )
    assert document["stdout"] == "1\n"
    document = client.run("print(1)", limits={"wall_ms": None, "memory_bytes": None})
    assert document["stdout"] == "1\n"


def test_executions_are_separate(client):
    client.run("open('/tmp/left', 'w').write('x'); open('left', 'w').write('x')")
    document = client.run("import os; print(os.listdir('/tmp'), os.listdir('.'))")

    assert document["stdout"] == "[] []\n"


def test_execution_can_be_read_again(client):
    first = client.post({"language": "python", "code": "print('again')"})
    second = client.get(first.headers["location"])

    assert second.status == 200
    assert second.json == first.json


def test_runtimes_and_capabilities(client):
    runtimes = client.get("/v1/runtimes").json["runtimes"]
    python = next(entry for entry in runtimes if entry["name"] == "python")
    assert python["version"].startswith("3.")

    capabilities = client.get("/v1/capabilities").json
    held = client.run("pass")["isolation"]
    assert set(held["layers"]) == set(capabilities["isolation"]["layers"])
    for layer in ("user_namespace", "pid_namespace", "network_namespace", "landlock", "seccomp"):
        assert layer in held["layers"]


def test_openapi_describes_what_is_there(client):
    document = client.get("/openapi.json").json

    assert document["openapi"].startswith("3.1")
    assert {"/v1/executions", "/v1/executions/{id}", "/v1/runtimes", "/v1/capabilities"} <= set(
        document["paths"]
    )


def test_request_id_and_trace_are_taken_echoed_and_recorded(service, client):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = client.post(
        {"language": "python", "code": "pass"},
        {"X-Request-Id": "my-request.1", "traceparent": trace},
    )

    assert answer.headers["x-request-id"] == "my-request.1"
    assert answer.headers["traceparent"].split("-")[1] == trace.split("-")[1]
    assert answer.json["request_id"] == "my-request.1"
    rows = service.query(
        "SELECT hex(body) FROM records WHERE execution_id = ?", answer.json["id"]
    )
    bodies = [bytes.fromhex(row[0]) for row in rows]
    assert len(bodies) == 2
    assert any(b"my-request.1" in body for body in bodies)

    made = client.post({"language": "python", "code": "pass"})
    assert re.match(r"^[A-Za-z0-9._-]{1,128}$", made.headers["x-request-id"])
    assert re.match(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$", made.headers["traceparent"])


def test_record_in_the_answer_is_the_record_on_disk(service, client):
    document = client.run("pass")
    rows = service.query(
        "SELECT hex(hash) FROM records WHERE idx = ?", document["record"]["index"]
    )

    assert rows == [(document["record"]["hash"].upper(),)]


def test_standard_modules_and_pandas(client):
    document = client.run(
        "import json, math, re, random, sqlite3, subprocess, threading, asyncio, tempfile\n"
        "import numpy as np, pandas as pd\n"
        "print(int(pd.DataFrame({'a': np.arange(10)}).sum().iloc[0]))\n"
        "print(subprocess.run(['/bin/echo', 'hi'], capture_output=True, text=True).stdout, end='')\n"
        "t = threading.Thread(target=lambda: print('thread')); t.start(); t.join()\n"
        "async def f():\n    await asyncio.sleep(0); return 'async'\n"
        "print(asyncio.run(f()))\n"
        "print(sqlite3.connect(':memory:').execute('select 1+1').fetchone()[0])\n"
        "print(tempfile.mkdtemp().startswith('/tmp/'))\n"
    )

    assert document["stderr"] == ""
    assert document["stdout"] == "45\nhi\nthread\nasync\n2\nTrue\n"


def test_randomness_differs_between_workers(client):
    code = "import random, uuid, numpy\nprint(random.random(), uuid.uuid4(), numpy.random.rand())"
    seen = [client.run(code)["stdout"].split() for _ in range(12)]

    for column in zip(*seen):
        assert len(set(column)) == len(seen)


def test_problem_documents_are_helpful(client):
    answer = client.post({"language": "python", "code": "pass", "limits": {"wall": 5}})
    document = answer.json

    assert answer.status == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert document["code"] == "invalid" and document["status"] == 422
    assert document["request_id"] == answer.headers["x-request-id"]
    fault = document["errors"][0]
    assert fault["pointer"] == "/limits/wall"
    assert "wall_ms" in json.dumps(fault)
