"""One real casemate-validator with a played supervisor and ledger."""

import contextlib
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import channel  # noqa: E402
from channel import Reader, receive, sealed, send, text, u8, u32, u64  # noqa: E402

VARIANT = os.environ.get("VARIANT", "release")
BUILD = ROOT / "build" / VARIANT
PROGRAM = BUILD / "libexec" / "casemate" / "casemate-validator"
SHARE = BUILD / "share" / "casemate"
VERSION = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True,
                         check=True).stdout.split()[1]

CHECK_REQUEST, CHECK_OUTCOME, CHECK_CODE = 300, 301, 302
REQUEST_GOOD, REQUEST_BAD, OUTCOME_GOOD, OUTCOME_FILE, CODE_GOOD = range(320, 325)
SUCCEEDED, TIMED_OUT = 1, 4
SEVERITIES = ["info", "low", "medium", "high"]
EXECUTION_ID = "01JD9Z5WJ8Q6H6T5V3R2M1K0AB"
LIMITS = (300000, 300000, 8 << 30, 16 << 20, 512, 4096, 2 << 30)
INVALID_CODE, ABOVE_CEILING_CODE, BAD_JSON_CODE = 12, 13, 2
STDOUT, STDERR, REPORT = 6, 7, 8
UIDS = [0, 1900077777] if os.geteuid() == 0 else [0]


def entry(kind, name=b"", data=b""):
    return struct.pack("<HHIQ", kind, len(name), 0, len(data)) + name + data


class Validator:
    def __init__(self, uid=0):
        self.uid = uid
        self.setup, theirs = channel.pair()
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1"}
        self.process = channel.spawn(PROGRAM, theirs, stderr=subprocess.PIPE, env=environment)
        self.ledger = None

    def hello(self, version=VERSION):
        send(self.setup, channel.SETUP_HELLO, text(version) + u32(self.uid) + u32(1) + u8(1))

    def configure(self, share=SHARE, policies=None):
        text = policies if isinstance(policies, bytes) else json.dumps(policies or {}).encode()
        fds = [os.open(share / "schema", os.O_RDONLY | os.O_DIRECTORY), sealed(text)]
        send(self.setup, channel.SETUP_VALIDATOR_CONFIG, u8(0), fds)
        for fd in fds:
            os.close(fd)

    def introduce(self):
        if self.ledger is not None:
            self.ledger.close()
        self.ledger, theirs = channel.pair()
        send(self.setup, channel.SETUP_PEER, u8(channel.ROLE_LEDGER), [theirs.fileno()])
        theirs.close()

    def commit(self):
        send(self.setup, channel.SETUP_COMMIT, u8(0))
        return receive(self.setup, 30)

    def start(self):
        self.hello()
        self.configure()
        self.introduce()
        ready = self.commit()
        assert ready.type == channel.SETUP_READY, ready.body
        return self

    def ask(self, type, body, *payloads, id=7):
        fds = [sealed(payload) for payload in payloads]
        send(self.ledger, type, body, fds, id)
        for fd in fds:
            os.close(fd)
        return self.answer(id)

    def answer(self, id=7):
        self.kept = []
        while True:
            message = receive(self.ledger, 30)
            if message is None:
                return None, None, None
            assert message.id == id
            if message.type != OUTCOME_FILE:
                break
            self.kept.append(message.body)
        content = os.pread(message.fds[0], 1 << 28, 0)
        self.findings = os.pread(message.fds[1], 1 << 28, 0) if len(message.fds) > 1 else None
        message.close()
        return message.type, message.body, content

    def request(self, body, limits=LIMITS, id=7, policy="open"):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.ask(CHECK_REQUEST, text("dev") + text(policy) + b"".join(map(u64, limits)), body,
                        id=id)

    def judge(self, code, policy="open", own=None, language="python"):
        """(is_rejected, findings) of a request that is good otherwise."""
        type, body, _ = self.request({"language": language, "code": code, "policy": own}, policy=policy)
        assert type == REQUEST_GOOD, body
        reader = Reader(body)
        assert reader.text() == language
        is_rejected, counts = reader.uint(1), [reader.uint(8) for _ in SEVERITIES]
        members = json.loads(b"{%s}" % (self.findings or b'"findings":[],"findings_truncated":false,'
                             b'"sanitised":[]'))
        assert set(members) == {"findings", "findings_truncated", "sanitised"}
        found = members["findings"]
        assert counts == [sum(f["severity"] == name for f in found) for name in SEVERITIES]
        assert bool(is_rejected) == any(finding["rejects"] for finding in found)
        return bool(is_rejected), found

    def outcome(self, bundle, status=SUCCEEDED, limit=0, keep=0, findings=None):
        body = (u8(status) + u8(limit) + u64(0) + u8(0) + u8(0) * 3
                + b"".join(map(u64, LIMITS)) + text(EXECUTION_ID) + u64(keep))
        type, _, content = self.ask(CHECK_OUTCOME, body, bundle, *filter(None, [findings]))
        assert type == OUTCOME_GOOD
        return json.loads(b"{" + content + b"}")

    def stop(self):
        with contextlib.suppress(OSError):
            self.setup.close()
        if self.ledger is not None:
            self.ledger.close()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stderr.close()


@pytest.fixture(params=UIDS)
def fresh(request):
    instance = Validator(request.param)
    yield instance
    instance.stop()


@pytest.fixture
def validator(fresh):
    return fresh.start()


GOOD = {"language": "python", "code": "print(1)"}


def test_a_good_request(validator):
    type, body, content = validator.request({**GOOD, "limits": {"wall_ms": 500}})

    assert type == REQUEST_GOOD
    reader = Reader(body)
    assert reader.text() == "python"
    assert [reader.uint(1)] + [reader.uint(8) for _ in SEVERITIES] == [0] * 5
    assert validator.findings is None
    assert [reader.uint(8) for _ in range(7)] == [500, 0, 0, 0, 0, 0, 0]
    offset, length = reader.uint(8), reader.uint(8)
    reader.done()
    assert content[offset:offset + length] == b"print(1)"


@pytest.mark.parametrize("body,problem", [
    (b"", BAD_JSON_CODE), (b"{", BAD_JSON_CODE), (b"\0", BAD_JSON_CODE), (b"[]", INVALID_CODE),
    (json.dumps({**GOOD, "limits": {"wall_ms": 300001}}).encode(), INVALID_CODE),
])
def test_a_bad_request(validator, body, problem):
    type, answer, content = validator.request(body)

    assert type == REQUEST_BAD
    reader = Reader(answer)
    assert reader.uint(1) == problem
    assert reader.text() and reader.text()
    reader.done()
    faults = json.loads(content)
    assert faults and {"pointer", "rule", "detail", "hint"} <= set(faults[0])


def test_a_ceiling(validator):
    type, answer, content = validator.request(
        {**GOOD, "limits": {"cpu_ms": 1001}}, (60000, 1000, *LIMITS[2:]))

    assert type == REQUEST_BAD and answer[0] == ABOVE_CEILING_CODE
    assert json.loads(content)[0]["pointer"] == "/limits/cpu_ms"


def test_an_outcome(validator):
    members = validator.outcome(entry(STDOUT, data=b"1\n") + entry(STDERR)
                                + entry(REPORT, data=b'{"error":null,"result":"2"}'))

    assert (members["stdout"], members["stderr"], members["result"]) == ("1\n", "", "2")
    assert members["error"] is None and members["files"] == []


def test_findings_go_along_with_an_outcome(validator):
    bundle = entry(STDOUT) + entry(STDERR) + entry(REPORT, data=b'{"error":null,"result":null}')
    members = validator.outcome(bundle)
    assert (members["findings"], members["findings_truncated"]) == ([], False)

    rejected, found = validator.judge("eval(x)\n")
    assert not rejected and found
    members = validator.outcome(bundle, findings=validator.findings)
    assert (members["findings"], members["findings_truncated"]) == (found, False)


EVAL, CTYPES, SOCKET = "eval(input())\n", "import ctypes\n", "import socket\n"
DENY_JSON = {"python": {"modules": {"deny": ["json"]}}}


def rules(found):
    return {finding["rule"] for finding in found if finding["rejects"]}


def test_a_principals_policy_decides(validator):
    assert validator.judge(CTYPES) == (False, validator.judge(CTYPES)[1])
    assert rules(validator.judge(CTYPES, "standard")[1]) == {"policy-module"}
    assert not validator.judge(SOCKET, "standard")[0] and validator.judge(SOCKET, "strict")[0]
    assert validator.judge("while (true) {}", "strict", language="javascript")[0]
    assert validator.judge("sudo ls", "standard", language="bash")[0]


@pytest.mark.parametrize("own", [
    "open", {}, {"reject": {"severity": "none"}}, {"severities": {"policy-module": "off"}}, {"narrows": "open"},
    {"python": {"modules": {"default": "allow", "allow": ["ctypes"]}}},
    {"narrows": "open", "python": {"modules": {"allow": ["ctypes", "socket"]}}, "unparseable": "finding",
     "size": {"bytes": 1000000, "nesting": 1000}, "severities": {"py-eval": "off"}},
], ids=json.dumps)
def test_a_request_cannot_widen(validator, own):
    for code in (CTYPES, SOCKET, "x = (\n", EVAL, "f(" * 120 + ")" * 120):
        alone = validator.judge(code, "strict")
        assert alone[0] and rules(validator.judge(code, "strict", own)[1]) >= rules(alone[1])


@pytest.mark.parametrize("own,code,rule", [
    ("strict", SOCKET, "policy-module"), ("standard", CTYPES, "policy-module"),
    (DENY_JSON, "import json\n", "policy-module"), ({**DENY_JSON, "narrows": "standard"}, CTYPES, "policy-module"),
    ({**DENY_JSON, "narrows": "strict"}, "import json\n", "policy-module"),
    ({"size": {"lines": 1}}, "1\n2\n", "policy-size"), ({"unparseable": "refuse"}, "x = (\n", "syntax-error"),
    ({"reject": {"severity": "info"}}, "import hashlib\nhashlib.md5(b'')\n", "py-weak-hash"),
    ({"reject": {"rules": ["py-network-import"]}}, SOCKET, "py-network-import"),
], ids=json.dumps)
def test_a_request_can_narrow(validator, own, code, rule):
    assert not validator.judge(code)[0]
    assert rule in rules(validator.judge(code, "open", own)[1])


@pytest.mark.parametrize("own,pointer", [
    ("nobody", "/policy"), ({"narrows": "nobody"}, "/policy/narrows"), (1, "/policy"), ([], "/policy"),
    ({"what": 1}, "/policy/what"), ({"size": {"lines": 0}}, "/policy/size/lines"), ("a b", "/policy"),
    ({"severities": {"py-evl": "high"}}, "/policy/severities/py-evl"),
    ({"reject": {"rules": ["py-eval", "sh-nothing"]}}, "/policy/reject/rules/1"),
    ({"reject": {"rules": [f"x{number}" for number in range(1000)]}}, "/policy/reject/rules/0"),
    ({"bash": {"syntax": {"deny": ["backgroundd"]}}}, "/policy/bash/syntax/deny/0"),
], ids=lambda value: json.dumps(value)[:60])
def test_a_policy_that_cannot_be_used_is_told_with_its_place(validator, own, pointer):
    type, answer, content = validator.request({**GOOD, "policy": own})

    assert type == REQUEST_BAD and answer[0] == INVALID_CODE
    assert json.loads(content)[0]["pointer"] == pointer


def test_a_language_without_rules_is_not_read(validator):
    assert validator.judge(EVAL, "standard", language="c") == (False, [])
    assert rules(validator.judge("1\n2\n", own={"size": {"lines": 1}}, language="c")[1]) == {"policy-size"}
    rejected, found = validator.judge("int main;", "strict", language="c")
    assert rejected and [finding["rule"] for finding in found] == ["source-language"]


def test_findings_are_those_of_the_command(validator, tmp_path):
    code = "import os, hashlib as h\nos.system('ls ' + input())\nh.md5(b'\\xff')\n# \u202e\n"
    (tmp_path / "a.py").write_text(code)
    done = subprocess.run([BUILD / "bin" / "casemate", "check", "--json", "--policy", "strict",
                           tmp_path / "a.py"], capture_output=True, check=False)

    assert validator.judge(code, "strict") == (True, json.loads(done.stdout)["findings"])


def test_code_is_judged_without_a_job(validator):
    type, body, members = validator.ask(CHECK_CODE, text("open"), json.dumps(
        {"language": "python", "code": CTYPES + EVAL, "policy": {**DENY_JSON, "narrows": "standard"}}).encode())
    assert type == CODE_GOOD
    reader = Reader(body)
    assert (reader.text(), reader.uint(1)) == ("python", 1)
    rejected, counts = reader.uint(1), [reader.uint(8) for _ in SEVERITIES]
    reader.done()
    answer = json.loads(b"{" + members + b"}")
    assert (answer["language"], answer["verdict"]) == ("python", "rejected") and rejected == 1
    assert answer["policies"] == ["request", "standard", "open"]
    assert sum(counts) == len(answer["findings"]) and answer["findings_truncated"] is False
    assert answer["findings"] == validator.judge(CTYPES + EVAL, "open", "standard")[1]


def test_a_verdict_says_whether_there_are_rules_for_the_language(validator):
    for language, is_read in (("javascript", 1), ("c", 0), ("pyhton", 0)):
        type, body, _ = validator.ask(CHECK_CODE, text("open"),
                                      json.dumps({"language": language, "code": "1"}).encode())
        reader = Reader(body)
        assert (type, reader.text(), reader.uint(1)) == (CODE_GOOD, language, is_read)


@pytest.mark.parametrize("document,pointer", [
    ({"language": "python"}, "/code"), ({**GOOD, "stdin": ""}, "/stdin"), ({**GOOD, "policy": "x"}, "/policy"),
    ({**GOOD, "code": None}, "/code"), ({**GOOD, "language": "A"}, "/language")], ids=json.dumps)
def test_a_bad_validation(validator, document, pointer):
    type, body, content = validator.ask(CHECK_CODE, text("open"), json.dumps(document).encode())
    assert type == REQUEST_BAD and body[0] == INVALID_CODE
    assert json.loads(content)[0]["pointer"] == pointer


def test_a_reload_brings_policies_and_keeps_those_before_for_a_while(fresh):
    fresh.hello()
    fresh.configure(policies={"old": {"narrows": "standard"}})
    fresh.introduce()
    assert fresh.commit().type == channel.SETUP_READY
    assert fresh.judge(CTYPES, "old")[0]

    fresh.configure(policies={"new": {"narrows": "strict"}})
    assert fresh.commit().type == channel.SETUP_READY
    assert fresh.judge(SOCKET, "new")[0] and fresh.judge(CTYPES, "old")[0]
    assert not fresh.judge(SOCKET, "old")[0]

    fresh.configure(policies={"old": {}})
    assert fresh.commit().type == channel.SETUP_READY
    assert not fresh.judge(CTYPES, "old")[0] and fresh.judge(SOCKET, "new")[0]


def test_hostile_outcomes_are_answered_and_forgotten(validator):
    for bundle in (b"x", entry(STDOUT)[:-1], entry(1, data=b"code"), entry(REPORT, data=b"{"),
                   entry(STDOUT, data=b"\x01" * (4 << 20)) + entry(STDERR, data=b"\xff" * 9999)):
        assert set(validator.outcome(bundle)) >= {"stdout", "stderr", "error", "files"}
    assert validator.outcome(b"", TIMED_OUT, 1)["error"]["name"] == "TimedOut"
    assert validator.request(GOOD)[0] == REQUEST_GOOD


def test_memory_stays_flat(validator):
    def resident():
        fields = Path(f"/proc/{validator.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def work():
        validator.outcome(entry(STDOUT, data=b"\x01" * (8 << 20)))
        validator.request({**GOOD, "stdin": "x" * (8 << 20)})
        validator.request(b"[" * 100000)

    work()
    before = resident()
    for _ in range(5):
        work()
    # AddressSanitizer keeps freed blocks back on purpose.
    slack = 1 << 30 if VARIANT == "asan" else 2 << 20
    assert resident() < before + slack


def test_it_is_confined(validator):
    status = Path(f"/proc/{validator.process.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)

    assert fields["Seccomp"] == "2" and fields["NoNewPrivs"] == "1"
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(fields[name], 16) == 0
    if validator.uid:
        assert set(fields["Uid"].split()) == {str(validator.uid)}
        assert fields["Groups"].strip() == ""
    if os.geteuid() != 0:
        return  # it is not dumpable: only root sees its descriptors
    folder = Path(f"/proc/{validator.process.pid}/fd")
    kept = {os.readlink(folder / fd).split(":")[0] for fd in os.listdir(folder) if int(fd) > 2}
    assert kept == {"socket", "anon_inode"}, kept  # channels and epoll: no folder, no file


@pytest.mark.parametrize("send_bad", [
    lambda v: send(v.ledger, 299),
    lambda v: send(v.ledger, CHECK_REQUEST),
    lambda v: v.ask(CHECK_REQUEST, b"short", b"{}"),
    lambda v: v.ask(CHECK_REQUEST, text("") + text("open") + u64(0) * 7, b"{}"),
    lambda v: v.ask(CHECK_REQUEST, text("dev") + text("") + u64(0) * 7, b"{}"),
    lambda v: v.ask(CHECK_REQUEST, text("dev") + text("open") + u64(1 << 60) * 7, b"{}"),
    lambda v: v.request(GOOD, policy="nobody"),
    lambda v: v.ask(CHECK_CODE, text("nobody"), json.dumps(GOOD).encode()),
    lambda v: v.ask(CHECK_CODE, b"", b"{}"),
    lambda v: v.ledger.send(b"not a header"),
], ids=["unknown type", "no descriptor", "short body", "empty tenant", "empty policy", "limit range",
        "unknown policy", "unknown policy for code", "no policy", "no header"])
def test_a_broken_dialogue_closes_the_channel(validator, send_bad):
    send_bad(validator)

    assert receive(validator.ledger, 30) is None if validator.process.poll() is None else True


def test_an_unsealed_payload_is_refused(validator):
    fd = os.memfd_create("open", os.MFD_ALLOW_SEALING)
    os.write(fd, b"{}")
    send(validator.ledger, CHECK_REQUEST, text("dev") + text("open") + b"".join(map(u64, LIMITS)), [fd])
    os.close(fd)

    assert receive(validator.ledger) is None
    assert validator.process.wait(10) == 1


def test_the_ledger_may_come_back(validator):
    assert validator.request(GOOD)[0] == REQUEST_GOOD
    validator.ledger.close()
    time.sleep(0.05)
    validator.introduce()

    assert validator.request(GOOD)[0] == REQUEST_GOOD


def test_reload_keeps_serving(validator):
    validator.configure()
    assert validator.commit().type == channel.SETUP_READY
    assert validator.request(GOOD)[0] == REQUEST_GOOD


def test_drain_waits_for_the_ledger(validator):
    send(validator.setup, channel.SETUP_DRAIN, u32(20000))
    assert validator.request(GOOD)[0] == REQUEST_GOOD
    validator.ledger.close()

    assert receive(validator.setup).type == channel.SETUP_DRAINED
    assert validator.process.wait(10) == 0


def test_drain_without_time_ends_at_once(validator):
    send(validator.setup, channel.SETUP_DRAIN, u32(0))

    assert receive(validator.setup).type == channel.SETUP_DRAINED
    assert validator.process.wait(10) == 0


def test_loss_of_the_supervisor_ends_it(validator):
    validator.setup.close()
    assert validator.process.wait(10) == 1


@pytest.mark.parametrize("act,reason", [
    (lambda v: v.hello("0.0.0-other"), "build"),
    (lambda v: v.configure(), "message"),
    (lambda v: (v.hello(), v.introduce(), send(v.setup, channel.SETUP_COMMIT, u8(0))), "schema"),
    (lambda v: (v.hello(), send(v.setup, channel.SETUP_PEER, u8(channel.ROLE_GATE),
                                [v.setup.fileno()])), "role"),
], ids=["other build", "config before hello", "commit without schemas", "wrong peer"])
def test_wrong_setup_fails_with_a_reason(fresh, act, reason):
    act(fresh)
    failed = receive(fresh.setup)

    assert failed.type == channel.SETUP_FAILED
    assert reason in Reader(failed.body).text()
    assert fresh.process.wait(10) == 1


def test_a_landlock_abi_out_of_reach_refuses_to_start(fresh):
    send(fresh.setup, channel.SETUP_HELLO, text(VERSION) + u32(fresh.uid) + u32(64) + u8(1))
    fresh.configure()
    fresh.introduce()
    failed = fresh.commit()

    assert failed.type == channel.SETUP_FAILED
    assert "Landlock" in Reader(failed.body).text()


@pytest.fixture
def share(tmp_path):
    """What is installed, to be broken."""
    for part in ("schema", "rules", "policies"):
        shutil.copytree(SHARE / part, tmp_path / part)
    return tmp_path


def rewrite(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("spoil,reasons", [
    (lambda share: (share / "schema/report.schema.json").write_text('{"typ": "object"}'),
     ["report.schema.json", "typ"]),
    (lambda share: rewrite(share / "rules/python/network.json", lambda document:
                           document["rules"][0].update(query="(call nowhere: (_)) @here")),
     ["python/network.json", "py-", "nowhere"]),
    (lambda share: rewrite(share / "rules/bash/secrets.json", lambda document:
                           document["rules"][1].update(severity="awful")),
     ["bash/secrets.json", "/rules/1/severity"]),
    (lambda share: shutil.rmtree(share / "rules/javascript"), ["no rules for javascript", "installation"]),
    (lambda share: shutil.rmtree(share / "rules"), ["rules beside the schemas", "installation"]),
    (lambda share: rewrite(share / "policies/strict.json", lambda document:
                           document.update(narrows=1)), ["strict.json", "/narrows"]),
    (lambda share: shutil.rmtree(share / "policies"), ["policies beside the schemas"]),
], ids=["schema", "query", "rule", "a language without rules", "no rules", "policy", "no policies"])
def test_a_broken_installation_refuses_to_start(fresh, share, spoil, reasons):
    spoil(share)
    fresh.hello()
    fresh.configure(share)
    failed = fresh.commit()

    assert failed.type == channel.SETUP_FAILED
    text = Reader(failed.body).text()
    assert [reason for reason in reasons if reason not in text] == [], text
    assert fresh.process.wait(10) == 1


BAD_POLICIES = {"no JSON": b"{", "no object": b"[]", "built-in": {"strict": {}},
                "not valid": {"a": {"what": 1}}, "circle": {"a": {"narrows": "a"}}}


@pytest.mark.parametrize("name", BAD_POLICIES)
def test_bad_policies_refuse_to_start(fresh, name):
    fresh.hello()
    fresh.configure(policies=BAD_POLICIES[name])

    assert fresh.commit().type == channel.SETUP_FAILED


def test_a_reload_with_bad_policies_is_refused_and_it_goes_on(validator):
    for policies in BAD_POLICIES.values():
        validator.configure(policies=policies)
        assert validator.commit().type == channel.SETUP_FAILED
    assert validator.request(GOOD)[0] == REQUEST_GOOD
    validator.configure(policies={"a": {"narrows": "strict"}})
    assert validator.commit().type == channel.SETUP_READY


# --- run by hand -------------------------------------------------------------------------------


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=30,
                          **options)


def test_config_is_completed():
    done = run("config", "-", input="{}")

    assert done.returncode == 0 and done.stderr == ""
    assert json.loads(done.stdout)["listen"] == {"address": "127.0.0.1", "port": 8443}


def test_config_faults_have_pointers(tmp_path):
    file = tmp_path / "c.json"
    file.write_text('{"listen": {"prot": 1}, "http": {"body_timeout_ms": "5"}}')
    done = run("config", file)

    assert done.returncode == 1 and done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"{file}: /listen/prot: ") and '"port"' in lines[0]
    assert lines[1].startswith(f"{file}: /http/body_timeout_ms: ")


def test_config_names_rules_that_are_installed(tmp_path):
    policies = {"a": {"severities": {"py-eval": "high", "source-bidi": "low"},
                      "reject": {"rules": ["sh-pipe-to-shell", "js-evl"]}}}
    done = run("config", "-", input=json.dumps({"policies": policies}))

    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith('-: /policies/a/reject/rules/1: there is no rule "js-evl". Did you mean "js-eval"?')
    policies["a"]["reject"]["rules"].pop()
    assert run("config", "-", input=json.dumps({"policies": policies})).returncode == 0


def test_config_that_is_no_json_says_where(tmp_path):
    file = tmp_path / "c.json"
    file.write_text('{\n  "listen": {},\n}\n')
    done = run("config", file)

    assert done.returncode == 1 and "line 3, column 1" in done.stderr
    assert run("config", tmp_path / "missing").returncode == 1


def test_openapi_is_printed():
    document = json.loads(run("openapi").stdout)

    assert document["openapi"] == "3.1.0" and len(document["paths"]) == 10
    with open("/dev/full", "w") as full:
        assert subprocess.run([PROGRAM, "openapi"], stdout=full,
                              stderr=subprocess.DEVNULL).returncode == 1


def test_usage():
    assert run("--help").returncode == 0
    assert run().returncode == 2 and run("config").returncode == 2 and run("x").returncode == 2


def test_signals_end_it(validator):
    validator.process.send_signal(signal.SIGTERM)
    assert validator.process.wait(10) == -signal.SIGTERM
