"""Rules and policies through the whole service: who is judged by what, what is refused and what it
costs, that nothing widens, hostile sources, validators that die."""

import contextlib
import json
import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from service import USERS, Service, wait_until
from test_humaneval import CORPUS

PRINCIPALS = {"client": None, "standard": "standard", "strict": "strict", "agent": "agents"}
CTYPES, SOCKET, JSON = "import ctypes\nprint(1)\n", "import socket\nprint(1)\n", "import json\nprint(1)\n"
SHELL = "import os\nos.system('ls ' + input())\n"


def principal(name, policy):
    uri = "dev" if name == "client" else name
    return {"spiffe": f"spiffe://casemate.local/client/{uri}", "tenant": "dev",
            "roles": ["executor", "auditor", "operator"], **({"policy": policy} if policy else {})}


def config(**changes):
    return {"policies": {"agents": {"narrows": "standard", "python": {"modules": {"deny": ["json"]}},
                                    "size": {"lines": 50}}},
            "principals": [principal(*entry) for entry in PRINCIPALS.items()], **changes}


def issue(service):
    for name in PRINCIPALS:
        if name != "client":
            service.tool("certs", "issue", name, "--uri", f"spiffe://casemate.local/client/{name}",
                         "--pki", service.pki)


@pytest.fixture(scope="module", params=USERS)
def judged(request):
    """A service whose callers have a policy each."""
    instance = Service(user=request.param, config=config())
    try:
        issue(instance)
        yield instance.start()
    finally:
        instance.remove()


@pytest.fixture
def callers(judged):
    clients = {name: judged.client(name) for name in PRINCIPALS}
    yield clients
    for client in clients.values():
        client.close()


def validate(client, code, language="python", **fields):
    return client.request("POST", "/v1/validations",
                          json.dumps({"language": language, "code": code, **fields}),
                          {"Content-Type": "application/json"})


def rejecting(document):
    return {finding["rule"] for finding in document["findings"] if finding["rejects"]}


def metric(service, line):
    found = re.search(rf"^{re.escape(line)} (\d+)$", service.operations("/metrics").body.decode(), re.M)
    return int(found[1])


# --- refused ---------------------------------------------------------------------------------------


def workers_made(service):
    return metric(service, 'casemate_workers_made_total{language="python"}')


def test_refused_code_touches_no_worker_and_is_on_record(judged, callers):
    client = callers["standard"]
    assert wait_until(lambda: metric(judged, 'casemate_workers_ready{language="python"}') == 6)
    made = workers_made(judged)
    rejected = metric(judged, 'casemate_executions_total{language="python",status="rejected"}')
    document = [client.run(SHELL) for _ in range(5)][-1]

    assert (document["status"], document["exit_code"], document["signal"]) == ("rejected", None, None)
    assert rejecting(document) == {"py-shell-command-built"}
    finding = next(finding for finding in document["findings"] if finding["rejects"])
    assert (finding["line"], finding["source"], finding["cwe"]) == (2, SHELL.splitlines()[1], "CWE-78")
    assert "subprocess.run" in finding["hint"] and document["error"]["name"] == "Rejected"
    assert (document["stdout"], document["files"], document["events"]) == ("", [], [])
    assert document["isolation"]["level"] == "none" and document["isolation"]["layers"] == []
    assert document["usage"]["wall_ms"] == 0
    assert workers_made(judged) == made
    assert metric(judged, 'casemate_executions_total{language="python",status="rejected"}') == rejected + 5
    # Each worker runs one job, so one that was touched would have been replaced.
    assert client.run("print(1)")["status"] == "succeeded"
    assert wait_until(lambda: workers_made(judged) > made)

    assert client.get(f"/v1/executions/{document['id']}").json == {
        **document, "request_id": document["request_id"]}
    bodies = {kind: json.loads(body) for kind, body in judged.query(
        "SELECT kind, body FROM records WHERE execution_id = ? ORDER BY idx", document["id"])}
    assert list(bodies) == ["execution_accepted", "execution_finished"]
    accepted = bodies["execution_accepted"]
    assert (accepted["policy"], accepted["verdict"]) == ("standard", "rejected")
    assert accepted["findings"]["high"] == 1 and len(accepted["findings_sha256"]) == 64
    assert bodies["execution_finished"]["status"] == "rejected"


@pytest.mark.parametrize("language,code", [
    ("javascript", "process.binding('fs')\n"), ("bash", "sudo ls\n"), ("python", CTYPES)])
def test_all_languages_with_rules(callers, language, code):
    answer = callers["standard"].post({"language": language, "code": code})
    assert answer.status == 200 and answer.json["status"] == "rejected"
    assert rejecting(answer.json)


def test_findings_do_not_disturb_what_runs(callers):
    document = callers["client"].run("import hashlib\nprint(hashlib.md5(b'x').hexdigest()[:4])\n")
    assert (document["status"], document["stdout"]) == ("succeeded", "9dd4\n")
    assert [(f["rule"], f["severity"], f["line"]) for f in document["findings"]] == [
        ("py-weak-hash", "info", 2)]


# --- whose policy ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code,accepted", [
    (CTYPES, {"client"}), (SHELL, {"client"}), (SOCKET, {"client", "standard", "agent"}),
    (JSON, {"client", "standard", "strict"}), ("x = 1\n" * 51, {"client", "standard", "strict"})])
def test_each_principal_has_a_policy(callers, code, accepted):
    verdicts = {name: validate(client, code).json["verdict"] for name, client in callers.items()}
    assert {name for name, verdict in verdicts.items() if verdict == "accepted"} == accepted


WIDER = ["open", {}, {"narrows": "open"}, {"severities": {"policy-module": "off", "py-shell-command-built": "off"}},
         {"python": {"modules": {"default": "allow", "allow": ["ctypes", "socket", "json"]}},
          "reject": {"severity": "none"}, "unparseable": "finding"}]


@pytest.mark.parametrize("own", WIDER, ids=json.dumps)
def test_a_request_cannot_widen(callers, own):
    for name, codes in (("standard", [CTYPES, SHELL]), ("agent", [CTYPES, JSON]), ("strict", [SOCKET])):
        for code in codes:
            document = callers[name].run(code, policy=own)
            assert document["status"] == "rejected", (name, code)
            assert validate(callers[name], code, policy=own).json["verdict"] == "rejected"


def test_a_request_can_narrow(callers):
    client = callers["client"]
    assert client.run(SOCKET)["status"] == "succeeded"
    assert client.run(SOCKET, policy="strict")["status"] == "rejected"
    own = {"narrows": "agents", "python": {"modules": {"deny": ["csv"]}}}
    for code in (CTYPES, JSON, "import csv\n"):
        assert client.run(code, policy=own)["status"] == "rejected"
    answer = validate(client, "import csv\n", policy=own).json
    assert answer["policies"] == ["request", "agents", "standard", "open"]
    assert answer["findings"][0]["message"] == "the policy request does not allow the module `csv`"
    answer = client.post({"language": "python", "code": "1", "policy": "no-such"})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/policy")


def test_a_tenants_policy_is_that_of_its_principals(own_service):
    service = own_service(config(tenants={"dev": {"policy": "standard"}}))
    client = service.client()
    assert client.run(CTYPES)["status"] == "rejected" and client.run(SOCKET)["status"] == "succeeded"
    assert client.run(CTYPES, policy="open")["status"] == "rejected"
    assert validate(client, "1").json["policies"] == ["standard"]


def test_a_reload_brings_policies(own_service):
    service = own_service(config())
    client = service.client()
    assert client.run(CTYPES)["status"] == "succeeded"
    service.config["principals"][0]["policy"] = "house"
    service.config["policies"] = {"house": {"narrows": "standard"}}
    service.config["principals"] = service.config["principals"][:1]
    service.write_config()
    service.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: client.run(CTYPES)["status"] == "rejected"), service.log()
    assert client.connection is not None

    service.config["policies"]["house"]["narrows"] = "nobody"
    service.write_config()
    service.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: "/policies/house/narrows" in service.log())
    assert client.run(CTYPES)["status"] == "rejected" and client.run(JSON)["status"] == "succeeded"


def test_executions_go_on_while_policies_come_and_go(own_service):
    """Each reload removes the policy that the principal had: no request may fall between."""
    service = own_service(config())
    stop, seen = threading.Event(), []

    def call():
        client = service.client()
        while not stop.is_set():
            seen.append(client.post({"language": "python", "code": CTYPES}))
        client.close()

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    reloads = 6
    for number in range(reloads):
        service.config["principals"] = [principal("client", f"p{number}")]
        service.config["policies"] = {f"p{number}": {"narrows": "standard" if number % 2 else "strict"}}
        service.write_config()
        service.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: service.log(5000).count("proc=supervisor event=reloaded") > number
                          ), service.log()
    stop.set()
    for caller in callers:
        caller.join()
    assert {answer.status for answer in seen} == {200}, [a for a in seen if a.status != 200][:2]
    # Once the first reload is through, nothing is let pass any more.
    statuses = [answer.json["status"] for answer in seen]
    assert set(statuses) <= {"succeeded", "rejected"} and set(statuses[len(statuses) // 2:]) == {"rejected"}


# --- one code for all ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language,code", [
    ("python", SHELL + "# \u202e\nimport hashlib as h\nh.md5(eval('1'))\n\u00e9 = __import__('ctypes')\n"),
    ("javascript", "const e = require('node:child_process');\ne.exec(`ls ${process.argv[2]}`);\n"),
    ("bash", "echo aWQ= | base64 -d | b'a'sh\nsudo \x07 ls\n")])
def test_findings_are_those_of_the_command(judged, callers, language, code):
    file = judged.state / "source"
    file.write_text(code)
    for name in ("standard", "strict"):
        printed = json.loads(judged.tool("check", "--json", "--language", language, "--policy", name, file,
                                         check=False).stdout)
        validation = validate(callers[name], code, language).json
        execution = callers[name].post({"language": language, "code": code}).json
        assert printed["findings"] and printed["findings"] == validation["findings"] == execution["findings"]
        assert printed["verdict"] == validation["verdict"] == "rejected" == execution["status"]


def test_validations_have_the_manners_of_the_service(judged, callers):
    client = callers["client"]
    before = judged.query("SELECT count(*) FROM records")
    answer = validate(client, "print(1)")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert answer.json == {"language": "python", "verdict": "accepted", "policies": ["open"], "findings": [],
                           "findings_truncated": False, "sanitised": [],
                           "request_id": answer.headers["x-request-id"]}
    for body, headers, status in ((b"{", {}, 400), (b"{}", {}, 422), (b"[]", {}, 422),
                                  (b'{"language":"python","code":"1","stdin":""}', {}, 422),
                                  (b'{"language":"pyhton","code":"1"}', {}, 422),
                                  (b"{}", {"Content-Type": "text/plain"}, 415),
                                  (b"{}", {"Accept": "text/html"}, 406)):
        answer = client.request("POST", "/v1/validations", body, {"Content-Type": "application/json", **headers})
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer
    assert client.get("/v1/validations").headers["allow"] == "POST, OPTIONS"
    assert judged.query("SELECT count(*) FROM records") == before
    path = client.get("/openapi.json").json["paths"]["/v1/validations"]["post"]
    assert path["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/ValidationRequest")


def test_exec_says_why_it_did_not_run(judged):
    file = judged.state / "program.py"
    file.write_text(SHELL)
    place = ["--url", judged.url, "--pki", judged.pki]
    done = judged.tool("exec", *place, "--policy", "standard", file, check=False)
    assert done.returncode == 126 and done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].startswith("line 2, column 1: high: ") and "[py-shell-command-built, CWE-78]" in lines[0]
    assert lines[1].strip() == SHELL.splitlines()[1] and "hint: " in lines[2]
    file.write_text("print('good')\n")
    policy = judged.state / "policy.json"
    policy.write_text('{"narrows": "strict"}')
    done = judged.tool("exec", *place, "--policy", policy, file)
    assert done.stdout == "good\n"


# --- hostile ---------------------------------------------------------------------------------------------

HOSTILE = {
    "brackets": ("python", "x=" + "[" * 100_000), "one line": ("python", "x='" + "a" * 1_000_000),
    "open tokens": ("javascript", "{" * 100_000), "nested templates": ("javascript", "`${" * 19_000),
    "nested substitutions": ("bash", "$(" * 14_000), "names": ("python", "a=b\n" * 200_000),
    "calls": ("python", "f(" * 25_000 + ")" * 25_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_source_is_a_finding(callers, name):
    language, code = HOSTILE[name]
    answer = validate(callers["client"], code, language)
    assert answer.status == 200 and answer.json["verdict"] == "accepted"
    assert {finding["rule"] for finding in answer.json["findings"]} & {"source-limit", "syntax-error"}
    document = callers["strict"].post({"language": language, "code": code}).json
    assert document["status"] == "rejected" and rejecting(document)
    assert callers["client"].run("print(1)")["status"] == "succeeded"


@pytest.mark.parametrize("body,status,pointer", [
    (json.dumps({"language": "python", "code": "import os\n" * 1_000_000}).encode(), 422, "/code"),
    (json.dumps({"language": "python", "code": "x='" + "a" * 5_000_000}).encode(), 422, "/code"),
    (b'{"language":"python","code":"\xff\xfe"}', 400, "/code"),
    (b'{"language":"python","code":"\\ud800"}', 400, "/code"),
    (b'{"language":"python","code":"\\u0000"}', 400, "/code"),
], ids=["10 MB", "a line of 5 MB", "no UTF-8", "half a surrogate", "NUL"])
@pytest.mark.parametrize("path", ["/v1/executions", "/v1/validations"])
def test_what_is_no_source_is_refused_before(callers, path, body, status, pointer):
    answer = callers["client"].request("POST", path, body, {"Content-Type": "application/json"})
    assert answer.status == status, answer
    assert answer.json["errors"][0]["pointer"] == pointer


def test_an_own_policy_of_hostile_size(callers):
    names = [f"m{number}.x" for number in range(10_000)]
    lists = {topic: {"deny": names, "allow": names} for topic in ("modules", "functions", "attributes")}
    answer = validate(callers["client"], "import m5.x\n", policy={"python": lists, "javascript": lists})
    assert answer.status == 200 and rejecting(answer.json) == {"policy-module"}
    answer = validate(callers["client"], "1", policy={"python": {"modules": {"deny": names + ["y"]}}})
    assert answer.status == 422


def busy_ns(pid):
    """Processor time so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


SLOW_SOURCE = "a.b(c)\n" * 4_000  # takes its whole time to judge


def kill_while_it_parses(service, deadline):
    """Kills the validator that reads SLOW_SOURCE; the answers of those who had sent it, one a validator."""
    pids = service.children()["casemate-valida"]
    before = {pid: busy_ns(pid) for pid in pids}
    with ThreadPoolExecutor(1) as pool:
        client = service.client()
        asked = pool.submit(client.post, {"language": "python", "code": SLOW_SOURCE})
        while time.monotonic() < deadline and not asked.done():
            for pid in pids:
                # The body alone takes a millisecond or two.
                if busy_ns(pid) > before[pid] + 10_000_000:
                    os.kill(pid, signal.SIGKILL)
                    return pid, asked.result()
    return None, None


def test_a_validator_killed_while_it_parses(own_service):
    service = own_service(config())
    other = service.client()
    assert other.run("print(1)")["status"] == "succeeded"
    supervisor, ledger = service.process.pid, service.children()["casemate-ledger"]
    killed, deadline = None, time.monotonic() + 60
    while killed is None and time.monotonic() < deadline:
        killed, answer = kill_while_it_parses(service, deadline)
        if killed is not None and answer.status == 200:
            killed = None  # it had answered a moment before
            assert wait_until(lambda: len(service.children().get("casemate-valida", [])) == 2)
    assert killed is not None

    assert answer.status == 500 and answer.json["code"] == "internal"
    assert "validator" in answer.json["detail"] and "Nothing was run" in answer.json["hint"]
    for number in range(20):
        assert other.run(f"print({number})")["stdout"] == f"{number}\n"
    assert wait_until(lambda: len(service.children().get("casemate-valida", [])) == 2
                      and killed not in service.children()["casemate-valida"], timeout=10)
    assert (service.process.pid, service.children()["casemate-ledger"]) == (supervisor, ledger)
    assert service.client().post({"language": "python", "code": SLOW_SOURCE}).status == 200
    kinds = [kind for (kind,) in service.query("SELECT kind FROM records ORDER BY idx")]
    assert kinds.count("execution_refused") >= 1


def test_a_broken_rule_refuses_the_start_by_name(own_service):
    service = own_service(config(), start=False)
    file = service.folder / "programs/share/casemate/rules/python/network.json"
    document = json.loads(file.read_text())
    document["rules"][0]["query"] = "(call nowhere: (_)) @here"
    file.write_text(json.dumps(document))
    service.start(wait=False)
    assert service.process.wait(60) == 1
    service.process = None
    log = service.log()
    assert "python/network.json" in log and document["rules"][0]["id"] in log and "nowhere" in log


# --- ordinary ----------------------------------------------------------------------------------------------


@pytest.mark.may_skip
@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not part of the project")
def test_humaneval_passes_standard(judged):
    problems = [json.loads(line) for line in CORPUS.read_text().splitlines()]

    def run(problem):
        code = "\n".join([problem["prompt"] + problem["canonical_solution"], problem["test"],
                          f"check({problem['entry_point']})"])
        client = judged.client("standard")
        with contextlib.closing(client):
            document = client.run(code, limits={"wall_ms": 60000, "cpu_ms": 60000})
        return problem["task_id"], document["status"], {f["severity"] for f in document["findings"]}

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, problems))
    assert len(results) == 164
    assert [row for row in results if row[1] != "succeeded" or row[2] - {"info"}] == []
