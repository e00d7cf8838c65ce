"""What callers get: answers, problems, deadlines, cancellation, restarts of the neighbours."""

import json
import os
import re
import resource
import socket
import time

import pytest
from gate_harness import (ASK_FILE, ANSWER_EXECUTION, ANSWER_METRICS, ANSWER_REFUSED, ANSWER_VIEW,
                          ANSWER_VALIDATION, ASK_CANCEL, ASK_EXECUTE, ASK_EXECUTION, ASK_METRICS, ASK_VALIDATE, ASK_VIEW,
                          EXECUTION_ID, GATE, IDENTITY, Gate, MEMBERS, PROBLEMS, ROOT, SLOW, TELL_RUNTIME,
                          TELL_STATE, TELL_TLS_REFUSED, channel, execution_body, text, u8,
                          u32, wait_until)

from descriptors import count_descriptors  # (gate_harness has set the path)

POST = ("POST /v1/executions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        "Content-Length: %d\r\n%s\r\n")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def begin(gate, body=b"{}", headers=""):
    caller = gate.caller()
    caller.send((POST % (len(body), headers)).encode() + body)
    return caller, gate.question()


def gauge(gate, name):
    """A number of the gate's own metrics."""
    scraper = gate.operations()
    scraper.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    gate.answer(ANSWER_METRICS, u8(0), gate.question().id, b"")
    found = re.search(rf"^casemate_gate_{name} (\d+)$", scraper.answer().body.decode(), re.M)
    scraper.close()
    return int(found[1])


def alive(gate):
    caller = gate.caller()
    caller.send("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
    caller.answer().problem("not_found")
    caller.close()


VERDICT = (b'"language":"python","verdict":"accepted","policies":["open"],'
           b'"findings":[],"findings_truncated":false,"sanitised":[]')


def test_a_validation_is_asked_for_and_answered(gate):
    caller = gate.caller()
    caller.send((POST % (5, "X-Request-Id: my.id-2\r\n")).replace("executions", "validations") + "12345")
    question = gate.question()
    assert (question.type, question.body, question.seals) == (ASK_VALIDATE, b"12345", 0xF)
    gate.answer(ANSWER_VALIDATION, u8(0), question.id, VERDICT)

    answer = caller.answer()
    assert answer.status == 200 and "location" not in answer.headers
    assert answer.json == {**json.loads(b"{" + VERDICT + b"}"), "request_id": "my.id-2"}
    assert caller.request("GET", "/v1/validations").problem("method_not_allowed")


def test_a_caller_who_leaves_forgets_his_validation(gate):
    caller = gate.caller()
    caller.send((POST % (2, "")).replace("executions", "validations") + "{}")
    question = gate.question()
    caller.close()
    cancel = gate.question()
    assert (cancel.type, cancel.id) == (ASK_CANCEL, question.id)
    gate.answer(ANSWER_VALIDATION, u8(0), question.id, VERDICT)  # late: dropped
    alive(gate)


# --- executions -----------------------------------------------------------------------------


def test_an_execution_is_asked_for_and_answered(gate):
    caller = gate.caller()
    caller.send((POST % (5, f"X-Request-Id: my.id-1\r\ntraceparent: {TRACE}\r\n")) + "12345")
    question = gate.question()
    assert (question.type, question.body, question.seals) == (ASK_EXECUTE, b"12345", 0xF)
    assert (question.request_id, question.traceparent) == ("my.id-1", TRACE)
    assert question.receive_us < 5_000_000
    gate.answer_execution(question)

    answer = caller.answer()
    assert answer.status == 200
    assert answer.headers["location"] == f"/v1/executions/{EXECUTION_ID}"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"] == "my.id-1"
    assert answer.headers["traceparent"] == TRACE
    assert "date" in answer.headers and "server" not in answer.headers
    document = answer.json
    assert document["id"] == EXECUTION_ID and document["status"] == "succeeded"
    assert document["created_at"] == "2026-01-02T03:04:05.678Z"
    assert document["usage"] == {"wall_ms": 0.412, "cpu_ms": 1.398, "memory_peak_bytes": 1843200,
                                 "processes_peak": 1}
    assert document["record"] == {"index": 41, "hash": bytes(range(32)).hex()}
    assert document["timings_us"]["run"] == 412 and document["stdout"] == "1\n"
    assert document["request_id"] == "my.id-1"


@pytest.mark.parametrize("options,expected", [
    ({"status": 7, "exit_code": -1, "signal": 9}, (None, "SIGKILL", 1)),
    ({"status": 2, "exit_code": 255, "processes": 0, "cgroup": 0}, (255, None, None)),
    ({"status": 7, "exit_code": -1, "signal": 64}, (None, "SIG64", 1)),
])
def test_answers_keep_to_the_schema(gate, options, expected):
    caller, question = begin(gate)
    gate.answer_execution(question, **options)

    document = caller.answer().json
    assert (document["exit_code"], document["signal"],
            document["usage"]["processes_peak"]) == expected
    schema = json.loads((ROOT / "schema/v1/execution.schema.json").read_text())
    assert set(document) == set(schema["properties"]) == set(schema["required"])
    for part in ("usage", "timings_us", "isolation", "record"):
        assert set(document[part]) == set(schema["properties"][part]["properties"])
    assert document["isolation"]["cgroup_version"] in (1, 2, None)
    assert re.match(schema["properties"]["signal"]["pattern"], document["signal"] or "SIGKILL")


@pytest.mark.parametrize("size", [0, 1, 64 << 10, (64 << 10) + 1, 300_000, 40 << 20])
def test_answers_of_any_size_come_whole(gate, size):
    caller, question = begin(gate)
    members = b'"stdout":"' + b"x" * size + b'"'
    gate.answer_execution(question, members)

    assert caller.answer().json["stdout"] == "x" * size
    caller.send("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
    caller.answer().problem("not_found")


@pytest.mark.parametrize("size", [1, 65536, 1 << 20])
def test_bodies_arrive_as_sent(gate, size):
    body = os.urandom(size)
    caller = gate.caller()
    caller.send(POST % (size, ""))
    caller.stream.settimeout(10 * SLOW)
    for at in range(0, size, 100_000):
        caller.send(body[at:at + 100_000])
    assert gate.question().body == body


def test_100_continue_comes_before_the_body_is_sent(gate):
    caller = gate.caller()
    caller.send(POST % (2, "Expect: 100-continue\r\n"))
    assert caller.answer().status == 100
    caller.send("{}")
    gate.answer_execution(gate.question())
    assert caller.answer().status == 200


def test_no_100_continue_for_a_body_that_is_refused(gate):
    caller = gate.caller()
    caller.send(POST % (1 << 30, "Expect: 100-continue\r\n"))
    caller.answer().problem("body_too_large")
    assert caller.is_closed()


def test_an_execution_is_looked_up(gate):
    caller = gate.caller()
    caller.send(f"GET /v1/executions/{EXECUTION_ID} HTTP/1.1\r\nHost: a\r\n\r\n")
    question = gate.question()
    assert (question.type, question.execution_id) == (ASK_EXECUTION, EXECUTION_ID)
    gate.answer_execution(question, request_id="the-first")
    answer = caller.answer()
    assert answer.json["request_id"] == "the-first" and "location" not in answer.headers


# --- files ------------------------------------------------------------------------------------

FILE = f"/v1/executions/{EXECUTION_ID}/files/out/a%20b.bin"
ETAG = '"%s"' % bytes(range(32)).hex()


def ask_file(gate, method="GET", target=FILE, **headers):
    caller = gate.caller()
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    caller.send(f"{method} {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
    return caller, gate.question()


def test_a_file_is_asked_for_twice(gate):
    """What it is, then the bytes that are wanted."""
    caller, question = ask_file(gate, Range="bytes=10-19")
    assert (question.type, question.execution_id, question.path, question.length) == (
        ASK_FILE, EXECUTION_ID, "out/a b.bin", 0)
    gate.answer_file(question, 1000)
    question = gate.question()
    assert (question.type, question.path, question.offset, question.length) == (
        ASK_FILE, "out/a b.bin", 10, 10)
    gate.answer_file(question, 1000, b"0123456789")
    answer = caller.answer()
    assert (answer.status, answer.body) == (206, b"0123456789")
    assert answer.headers["content-range"] == "bytes 10-19/1000"
    assert answer.headers["etag"] == ETAG
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"a_b.bin\"; filename*=UTF-8''a%20b.bin")
    assert answer.headers["x-content-type-options"] == "nosniff"
    caller.send("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
    caller.answer().problem("not_found")


@pytest.mark.parametrize("method,headers,status", [
    ("GET", {"If_None_Match": ETAG}, 304), ("HEAD", {}, 200),
    ("HEAD", {"If_None_Match": "*"}, 304), ("GET", {"Range": "bytes=1000-"}, 416)])
def test_no_byte_is_read_for_an_answer_without_bytes(gate, method, headers, status):
    caller, question = ask_file(gate, method, **headers)
    gate.answer_file(question, 1000)
    answer = caller.answer(is_head=method == "HEAD" or status == 304)
    assert answer.status == status and not gate.is_asked()
    if status != 416:
        assert answer.headers["content-length"] == "1000"
    if status == 416:
        answer.problem("range_not_satisfiable")
        assert answer.headers["content-range"] == "bytes */1000"
    caller.send("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
    caller.answer().problem("not_found")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("value", [
    '"other"', f"W/{ETAG}", "?", "", '"x",' * 400 + ETAG, f"{ETAG}\r\nIf-Match: {ETAG}"])
def test_another_file_than_if_match_names_is_not_given_out(gate, method, value):
    caller, question = ask_file(gate, method, If_Match=value, If_None_Match=ETAG, Range="bytes=0-1")
    gate.answer_file(question, 5)
    answer = caller.answer(is_head=method == "HEAD")
    assert answer.status == 412 and not gate.is_asked()
    if method == "GET":
        answer.problem("precondition_failed")


@pytest.mark.parametrize("value", [ETAG, "*", f'"other", {ETAG}'])
def test_the_file_that_if_match_names_is_given_out(gate, value):
    caller, question = ask_file(gate, If_Match=value, Range="bytes=0-1")
    gate.answer_file(question, 5)
    assert gate.question().length == 2


@pytest.mark.parametrize("headers", [
    {"Range": "bytes=0-1,3-4"}, {"Range": "bytes=" + "0" * 100 + "-1"}, {"Range": "x"},
    {"Range": "bytes=0-1", "If_Range": '"other"'}, {"Range": "bytes=0-1", "If_Range": ""},
    {"Range": "bytes=0-1", "If_Range": ETAG + " " * 10 + "x" * 200},
    {"Range": "bytes=0-1\r\nRange: bytes=0-1"}, {"If_None_Match": '"x",' * 400 + ETAG},
    {"Range": "bytes=0-1", "If_Range": f"{ETAG}\r\nIf-Range: {ETAG}"}])
def test_conditions_that_cannot_be_judged_give_the_whole_file(gate, headers):
    caller, question = ask_file(gate, **headers)
    gate.answer_file(question, 5)
    question = gate.question()
    assert (question.offset, question.length) == (0, 5)
    gate.answer_file(question, 5, b"whole")
    answer = caller.answer()
    assert (answer.status, answer.body) == (200, b"whole")


@pytest.mark.parametrize("path", ["..", "a/../b", "a%2Fb", "%2e%2e/x", "a//b", "a/", "%FF"])
def test_paths_that_are_none_are_not_even_asked_for(gate, path):
    caller = gate.caller()
    caller.request("GET", f"/v1/executions/{EXECUTION_ID}/files/{path}").problem("not_found")
    assert not gate.is_asked()


@pytest.mark.parametrize("spoil", ["early content", "no content", "short", "other file"])
def test_a_file_that_does_not_fit_the_question_costs_the_ledger_its_channel(gate, spoil):
    caller, question = ask_file(gate)
    if spoil == "early content":
        gate.answer_file(question, 5, b"12345")
    else:
        gate.answer_file(question, 5)
        question = gate.question()
        gate.answer_file(question, 5, None if spoil == "no content" else
                         b"1234" if spoil == "short" else b"12345",
                         bytes(32) if spoil == "other file" else bytes(range(32)))
    caller.answer().problem("internal")
    assert gate.question() is None
    alive(gate)


def test_an_empty_file_and_one_that_has_gone(gate):
    caller, question = ask_file(gate)
    gate.answer_file(question, 0)
    answer = caller.answer()
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")
    caller, question = ask_file(gate)
    gate.answer_file(question, 10)
    gate.refuse(gate.question(), "not_found")
    caller.answer().problem("not_found")


def test_large_files_count_as_the_callers(gate):
    callers = []
    for _ in range(5):
        caller, question = ask_file(gate)
        gate.answer_file(question, 48 << 20)
        assert gate.question().length == 48 << 20  # the ledger is slow
        callers.append(caller)
    assert gauge(gate, "answers_bytes") == 5 * 48 << 20
    caller, question = ask_file(gate)
    gate.answer_file(question, 48 << 20)
    caller.answer().problem("too_much_held")
    for caller in callers:
        caller.close()
    assert wait_until(lambda: gauge(gate, "answers_bytes") == 0)


# --- views ------------------------------------------------------------------------------------


def test_views_match_their_schemas(served):
    caller = served.caller()
    for path, name in (("/v1/runtimes", "runtimes"), ("/v1/capabilities", "capabilities"),
                       ("/readyz", "health")):
        answer = caller.request("GET", path)
        schema = json.loads((ROOT / f"schema/v1/{name}.schema.json").read_text())
        assert answer.status == 200 and set(answer.json) == set(schema["required"]), answer
    limits = caller.request("GET", "/v1/capabilities").json["limits"]
    limits = {name: row["default"] for name, row in limits.items()}
    limits["memory_bytes"] = 512 << 20  # as the runtimes' own default says
    assert caller.request("GET", "/v1/runtimes").json["runtimes"] == [
        {"name": "python", "version": "3.11.2", "modules": ["json", "numpy 1.24.2"],
         "limits": limits, "available": True, "reason": None},
        {"name": "c", "version": "", "modules": [], "limits": limits, "available": False,
         "reason": "gcc is not installed"}]
    assert caller.request("GET", "/v1/capabilities").json["isolation"]["cgroup_version"] is None
    assert caller.request("GET", "/openapi.json").json == {"openapi": "3.1.0"}
    assert {question.type for question in served.questions} == {ASK_VIEW}


def test_head_and_options(served):
    caller = served.caller()
    whole = caller.request("GET", "/v1/runtimes")
    head = caller.request("HEAD", "/v1/runtimes")
    assert head.status == 200 and head.body == b""
    assert head.headers["content-length"] == str(len(whole.body))
    for target, allow in (("/v1/executions", "POST, OPTIONS"),
                          (f"/v1/executions/{EXECUTION_ID}", "GET, HEAD, OPTIONS"),
                          ("*", "GET, HEAD, POST, OPTIONS")):
        answer = caller.request("OPTIONS", target)
        assert (answer.status, answer.headers["allow"]) == (204, allow)


def test_metrics_are_for_operators_and_complete(served):
    caller = served.caller()
    caller.request("GET", "/nothing")
    answer = caller.request("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.body.decode().splitlines()
    assert 'casemate_http_requests_total{route="none",code="404"} 1' in lines
    assert lines[-1] == "casemate_x 1"
    named = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(named) == len(set(named))
    for line in lines:
        assert line.startswith("#") or re.match(r'^casemate_[a-z_]+(\{[^}]*\})? \d+$', line), line
    assert [question.type for question in served.questions] == [ASK_VIEW, ASK_METRICS]


def test_metrics_are_refused_to_others(gate):
    caller = gate.caller()
    caller.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    gate.refuse(gate.question(), "forbidden")
    caller.answer().problem("forbidden")


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_every_problem_of_the_ledger_is_passed_on(gate, code):
    caller, question = begin(gate)
    gate.refuse(question, code, 7 if PROBLEMS[code][1] in (429, 503) else 0, "it is so", "do this",
                b'[{"pointer":"/a","detail":"b"}]')

    answer = caller.answer()
    document = answer.problem(code)
    assert (document["detail"], document["hint"], document["instance"]) == (
        "it is so", "do this", "/v1/executions")
    assert document["errors"] == [{"pointer": "/a", "detail": "b"}]
    if PROBLEMS[code][1] in (429, 503):
        assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("method,target,headers,body,code", [
    ("GET", "/", {}, b"", "not_found"),
    ("GET", "/v1/executions/", {}, b"", "not_found"),
    ("GET", "/v1/executions/{id}", {}, b"", "bad_request"),
    ("GET", "/v1/executions/" + EXECUTION_ID.lower(), {}, b"", "not_found"),
    ("GET", "/v1/executions/" + EXECUTION_ID + "/", {}, b"", "not_found"),
    ("GET", "/v1/runtimes/", {}, b"", "not_found"),
    ("GET", "/V1/runtimes", {}, b"", "not_found"),
    ("GET", "/v1/../livez", {}, b"", "not_found"),
    ("GET", "//livez", {}, b"", "not_found"),
    ("GET", "/v1%2fruntimes", {}, b"", "not_found"),
    ("GET", "/v1/executions", {}, b"", "method_not_allowed"),
    ("PUT", "/v1/executions", {}, b"{}", "method_not_allowed"),
    ("DELETE", "/v1/runtimes", {}, b"", "method_not_allowed"),
    ("TRACE", "/livez", {}, b"", "method_not_allowed"),
    ("POST", "/livez", {}, b"{}", "method_not_allowed"),
    ("GET", "/v1/runtimes", {"Accept": "image/png"}, b"", "not_acceptable"),
    ("GET", "/v1/runtimes", {"Accept": "application/json;q=0, */*"}, b"", "not_acceptable"),
    ("POST", "/v1/executions", {}, b"{}", "unsupported_media_type"),
    ("POST", "/v1/executions", {"Content-Type": "text/plain"}, b"{}", "unsupported_media_type"),
    ("POST", "/v1/executions", {"Content-Type": "application/json; charset=latin-1"}, b"{}",
     "unsupported_media_type"),
    ("POST", "/v1/executions", {"Content-Type": "application/json", "Content-Encoding": "gzip"},
     b"{}", "unsupported_media_type"),
])
def test_the_gates_own_refusals(gate, method, target, headers, body, code):
    caller = gate.caller()
    answer = caller.request(method, target, headers, body)
    answer.problem(code)
    if code == "method_not_allowed":
        assert answer.headers["allow"]
    if code == "unsupported_media_type":
        assert answer.headers["accept-post"] == "application/json"
    assert not gate.is_asked(0.02)


@pytest.mark.parametrize("accept", [
    "*/*", "application/*", "application/json;q=0.1", "text/html, application/json",
    "application/problem+json", "garbage", "text/html, */*;q=0.1", "APPLICATION/JSON;q=1.000"])
def test_accept_that_allows_json(served, accept):
    answer = served.caller().request("GET", "/v1/runtimes", {"Accept": accept})
    assert answer.status == 200, answer


def test_a_body_above_the_maximum_is_refused_before_it_arrives(make_gate):
    gate = make_gate(body_bytes_max=2048)
    caller = gate.caller()
    caller.send(POST % (2049, ""))
    caller.answer().problem("body_too_large")
    assert caller.is_closed()
    caller, question = begin(gate, b"x" * 2048)
    assert len(question.body) == 2048


def test_as_many_runtimes_as_the_ledger_knows(gate):
    for index in range(62):
        channel.send(gate.ledger, TELL_RUNTIME, text(f"other{index}") + text("1") + text("")
                     + bytes(48) + text(""))
    gate.tell_ready(False, "marked")
    # Until the gate has read the state it is still ready, and that answer has no detail.
    assert wait_until(lambda: "marked" in gate.operations().request("GET", "/readyz").json.get("detail", ""))


def test_bodies_that_arrive_cannot_fill_the_memory(make_gate):
    """16 of the largest fit; one more byte is refused, and room comes back with each that ends."""
    gate = make_gate(body_bytes_max=4 << 20)
    callers = [gate.caller(identity=f"{IDENTITY}/{number // 4}") for number in range(16)]
    for caller in callers:
        caller.send(POST % (4 << 20, ""))
        caller.send(b"x" * ((4 << 20) - 1))
    # What is in the sockets arrives first.
    assert wait_until(lambda: gauge(gate, "bodies_bytes") == len(callers) * ((4 << 20) - 1))
    late = gate.caller()
    late.send(POST % (1024, ""))
    late.send(b"x" * 1024)
    late.answer().problem("queue_full")
    assert late.is_closed()
    for caller in callers:
        caller.close()
    begin(gate, b"x" * (1 << 20))
    alive(gate)


def test_one_caller_has_a_share_of_the_bodies_that_arrive(make_gate):
    """Four of the largest; the fifth is refused, another caller is not, and room comes back."""
    gate = make_gate(body_bytes_max=4 << 20)
    callers = [gate.caller() for _ in range(4)]
    for caller in callers:
        caller.send(POST % (4 << 20, ""))
        caller.send(b"x" * ((4 << 20) - 1))
    # What is in the sockets arrives first.
    assert wait_until(lambda: gauge(gate, "bodies_bytes") == len(callers) * ((4 << 20) - 1))
    late = gate.caller()
    late.send((POST % (1024, "")).encode() + b"x" * 1024)
    answer = late.answer()
    answer.problem("too_much_held")
    assert answer.headers["retry-after"] and late.is_closed()

    other = gate.caller(identity=IDENTITY + "/other")
    other.send((POST % (1 << 20, "")).encode() + b"x" * (1 << 20))
    assert len(gate.question().body) == 1 << 20
    callers[0].send(b"x")  # whole now, and the ledger's
    assert len(gate.question().body) == 4 << 20
    begin(gate, b"x" * (1 << 20))


def test_one_caller_has_a_share_of_the_answers_that_are_not_read(gate):
    """256 MiB; what would be above is refused, by name, and can be had when there is room."""
    def ask(caller, size):
        caller.send((POST % (2, "")).encode() + b"{}")
        gate.answer_execution(gate.question(), b'"stdout":"' + b"x" * size + b'"')

    slow, second = gate.caller(), gate.caller()
    ask(slow, 250 << 20)
    ask(second, 10 << 20)
    answer = second.answer()
    answer.problem("too_much_held")
    assert EXECUTION_ID in answer.json["hint"] and answer.headers["retry-after"]
    ask(second, 60 << 10)  # small ones are not counted
    assert second.answer().status == 200
    other = gate.caller(identity=IDENTITY + "/other")
    ask(other, 10 << 20)
    assert other.answer().status == 200

    slow.close()
    assert wait_until(lambda: gauge(gate, "answers_bytes") == 0)
    ask(second, 10 << 20)
    assert second.answer().status == 200


def test_a_certificate_that_names_nobody(gate):
    caller = gate.caller(kind=0, identity="")
    for target in ("/v1/runtimes", "/livez", "/metrics"):
        answer = caller.request("GET", target)
        answer.problem("unauthenticated")
        assert answer.headers["www-authenticate"]


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "é", "a\"b"])
def test_bad_request_ids_are_replaced(served, sent):
    headers = {"X-Request-Id": sent.encode().decode("latin-1"), "traceparent": TRACE.upper()}
    caller = served.caller()
    caller.send("GET /livez HTTP/1.1\r\nHost: a\r\n"
                + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n")
    answer = caller.answer()
    assert re.match(r"^[0-9a-f]{32}$", answer.headers["x-request-id"])
    assert re.match(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", answer.headers["traceparent"])
    assert answer.headers["traceparent"] != TRACE


# --- deadlines --------------------------------------------------------------------------------


def drip(caller, data, pause):
    """One byte after the other: progress, so that only a total deadline ends it."""
    start = time.monotonic()
    for byte in data:
        try:
            caller.send(bytes([byte]))
        except OSError:
            break
        ready, _, _ = channel.select.select([caller.stream], [], [], pause)
        if ready:
            break
    return time.monotonic() - start


def test_a_slow_head_gets_408_in_total_time(make_gate):
    gate = make_gate(header_ms=400)
    caller = gate.caller()
    took = drip(caller, b"GET /livez HTTP/1.1\r\nX-A: " + b"b" * 1000, 0.05)
    caller.answer().problem("request_timeout")
    assert 0.3 < took < 2 * SLOW and caller.is_closed()
    alive(gate)


def test_a_slow_body_gets_408_in_total_time(make_gate):
    gate = make_gate(body_ms=400)
    caller = gate.caller()
    caller.send(POST % (1000, ""))
    took = drip(caller, b"x" * 1000, 0.05)
    caller.answer().problem("request_timeout")
    assert 0.3 < took < 2 * SLOW and caller.is_closed()
    assert not gate.is_asked(0.02)


def test_idle_connections_are_closed_without_a_word(make_gate):
    gate = make_gate(idle_ms=300)
    fresh, used = gate.caller(), gate.caller()
    used.request("GET", "/nothing").problem("not_found")
    start = time.monotonic()
    assert fresh.is_closed() and used.is_closed()
    assert time.monotonic() - start < 2 * SLOW


def test_who_does_not_take_his_answer_loses_it(make_gate):
    gate = make_gate(body_ms=300)
    caller, question = begin(gate)
    gate.answer_execution(question, b'"stdout":"' + b"x" * (20 << 20) + b'"')
    assert caller.stream.recv(10)
    time.sleep(1.0 * SLOW)
    with pytest.raises((AssertionError, ConnectionError)):
        caller.received = b""
        while True:
            assert caller._more()
    alive(gate)


# --- callers who leave ---------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "half"])
def test_a_caller_who_leaves_cancels_his_execution(gate, how):
    caller, question = begin(gate)
    if how == "close":
        caller.close()
    else:
        caller.stream.shutdown(socket.SHUT_WR)
    cancel = gate.question()
    assert (cancel.type, cancel.id) == (ASK_CANCEL, question.id)
    gate.answer_execution(question)  # late: dropped
    gate.refuse(question, "internal")
    alive(gate)


def test_leaving_while_the_body_arrives_asks_nothing(gate):
    caller = gate.caller()
    caller.send(POST % (1000, "") + "x" * 500)
    caller.close()
    assert not gate.is_asked(0.2)


def test_a_caller_who_only_half_closes_gets_his_look_up(gate):
    caller = gate.caller()
    caller.send("GET /v1/runtimes HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
    caller.stream.shutdown(socket.SHUT_WR)
    for _ in range(3):
        question = gate.question()
        gate.answer(ANSWER_VIEW, u8(question.view) + text("dev"), question.id)
        assert caller.answer().status == 200
    assert caller.is_closed()


# --- many ------------------------------------------------------------------------------------------


def test_10000_requests_on_one_connection(served):
    caller = served.caller()
    begin_fds = count_descriptors(served.process.pid)
    for number in range(10_000 if SLOW == 1 else 1000):
        answer = caller.post(headers={"X-Request-Id": f"n{number}"})
        assert answer.status == 200 and answer.json["request_id"] == f"n{number}"
    assert count_descriptors(served.process.pid) <= begin_fds + 3


def test_pipelined_requests_are_answered_in_order(served):
    caller = served.caller()
    for number in range(100):
        body = b"{}"
        caller.send((POST % (len(body), f"X-Request-Id: p{number}\r\n")).encode() + body
                    + f"GET /none HTTP/1.1\r\nHost: a\r\nX-Request-Id: q{number}\r\n\r\n".encode())
    for number in range(100):
        assert caller.answer().json["request_id"] == f"p{number}"
        assert caller.answer().problem("not_found")["request_id"] == f"q{number}"


def test_a_pipeline_of_5000_does_not_starve_others(served):
    one, other = served.caller(), served.caller()
    one.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n" * 5000)
    start = time.monotonic()
    other.request("GET", "/none").problem("not_found")
    assert time.monotonic() - start < 2 * SLOW
    for _ in range(5000):
        one.answer().problem("not_found")


def test_connections_above_the_maximum_are_closed(make_gate):
    gate = make_gate(connections_max=3)
    callers = [gate.caller() for _ in range(3)]
    for caller in callers:
        caller.request("GET", "/none").problem("not_found")
    assert gate.caller().is_closed()
    callers[0].close()
    assert wait_until(lambda: answers(gate))


def answers(gate):
    caller = gate.caller()
    try:
        caller.request("GET", "/none").problem("not_found")
        return True
    except (AssertionError, OSError):
        return False
    finally:
        caller.close()


# --- certificates that are no longer good ----------------------------------------------------


def test_a_connection_that_is_to_end_gets_its_answer_first(gate):
    caller, other = gate.caller(number=7), gate.caller(number=8)
    request = (POST % (2, "")).encode() + b"{}"
    caller.send(request + request)  # the second one must not run
    other.send(request)
    question, others = gate.question(), gate.question()
    gate.close_connection(7)
    gate.close_connection(99)

    gate.answer_execution(question)
    answer = caller.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert caller.is_closed()
    gate.answer_execution(others)
    assert other.answer().status == 200
    assert not gate.is_asked()


@pytest.mark.parametrize("sent", [
    b"", b"POST /v1/exec", (POST % (100, "")).encode() + b"{"])
def test_a_connection_that_is_to_end_takes_nothing_more(gate, sent):
    caller, other = gate.caller(number=1), gate.caller(number=4097)  # of one bucket
    caller.send(sent)
    gate.close_connection(1)

    assert caller.is_closed()
    other.send((POST % (2, "")).encode() + b"{}")
    gate.answer_execution(gate.question())
    assert other.answer().status == 200
    gate.close_connection(4097)
    assert other.is_closed()
    alive(gate)


# --- neighbours that fail ------------------------------------------------------------------------


def malformed():
    good = execution_body()
    return {
        "unknown type": lambda gate, id: gate.answer(999, b"", id),
        "empty": lambda gate, id: gate.answer(ANSWER_EXECUTION, b"", id, MEMBERS),
        "cut off": lambda gate, id: gate.answer(ANSWER_EXECUTION, good[:-1], id, MEMBERS),
        "with a tail": lambda gate, id: gate.answer(ANSWER_EXECUTION, good + b"x", id, MEMBERS),
        "without its descriptor": lambda gate, id: gate.answer(ANSWER_EXECUTION, good, id),
        "an unsealed memfd": unsealed,
        "an answer to another question": lambda gate, id: gate.answer(
            ANSWER_VIEW, u8(1) + text("dev"), id),
        "a verdict to an execution": lambda gate, id: gate.answer(ANSWER_VALIDATION, u8(0), id, VERDICT),
        "metrics to an execution": lambda gate, id: gate.answer(ANSWER_METRICS, u8(0), id, b"x"),
        "a problem that does not exist": lambda gate, id: gate.answer(
            ANSWER_REFUSED, u8(200) + u32(0) + text("") + text(""), id),
        "faults that are no array": lambda gate, id: gate.refuse(
            type("Q", (), {"id": id}), "invalid", faults=b"<html>"),
        "a state that is neither": lambda gate, id: gate.answer(TELL_STATE, u8(2) + text(""), id),
        "noise": lambda gate, id: gate.ledger.send(b"\xff" * 40),
        "a short packet": lambda gate, id: gate.ledger.send(b"\x01"),
    }


def unsealed(gate, id):
    fd = os.memfd_create("x", os.MFD_ALLOW_SEALING)
    os.write(fd, MEMBERS)
    channel.send(gate.ledger, ANSWER_EXECUTION, execution_body(), [fd], id)
    os.close(fd)


@pytest.mark.parametrize("name", sorted(malformed()))
def test_a_malformed_message_costs_the_ledger_its_channel_only(gate, name):
    caller, question = begin(gate)
    malformed()[name](gate, question.id)
    caller.answer().problem("unavailable")

    # The connection lives, the service says so, and the next ledger is taken.
    answer = caller.request("GET", "/readyz")
    answer.problem("unavailable")
    assert answer.headers["retry-after"]
    caller.post().problem("unavailable")
    gate.ledger.close()
    gate.ledger = gate.introduce(channel.ROLE_LEDGER)
    gate.tell_ready()
    assert wait_until(lambda: ready(gate))
    caller.send((POST % (2, "")) + "{}")
    gate.answer_execution(gate.question())
    assert caller.answer().status == 200


def ready(gate):
    return gate.operations().request("GET", "/readyz").status == 200


def test_a_lost_ledger_answers_everyone_who_waits(gate):
    waiting = [begin(gate)[0] for _ in range(5)]
    gate.ledger.close()
    for caller in waiting:
        answer = caller.answer()
        answer.problem("unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    gate.ledger, _ = channel.pair()


def test_a_malformed_front_is_dropped_and_its_connections_go_on(gate):
    caller = gate.caller()
    caller.request("GET", "/none").problem("not_found")
    gate.front.send(b"\xff" * 30)
    assert channel.receive(gate.front) is None
    caller.request("GET", "/none").problem("not_found")
    gate.front.close()
    gate.front = gate.introduce(channel.ROLE_FRONT)
    gate.caller().request("GET", "/none").problem("not_found")


@pytest.mark.parametrize("make", [
    lambda: os.memfd_create("x"),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).detach(),
    lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].detach(),
])
def test_a_connection_must_be_a_local_stream(gate, make):
    fd = make()
    body = u8(1) + text("a") + text("") + bytes(32) + text("") + channel.u16(0x0304)
    channel.send(gate.front, channel.FRONT_CONNECTION, body, [fd])
    os.close(fd)
    assert channel.receive(gate.front) is None


def test_refused_handshakes_are_passed_on_and_counted(gate):
    channel.send(gate.front, channel.FRONT_REFUSED, u8(3) + u32(5) + text("1.2.3.4:5") + text("CN=x"))
    told = gate.question()
    assert (told.type, told.refusal, told.count, told.peer, told.subject) == (
        TELL_TLS_REFUSED, 3, 5, "1.2.3.4:5", "CN=x")
    gate.play_ledger()
    metrics = gate.operations().request("GET", "/metrics").body.decode()
    assert 'casemate_gate_tls_refused_total{reason="expired"} 5' in metrics


# --- probes, reload, drain -------------------------------------------------------------------------


def test_the_operations_listener(make_gate):
    gate = make_gate(is_ready=False)
    caller = gate.operations()
    assert caller.request("GET", "/livez").json == {"status": "ok", "reason": None}
    caller.request("GET", "/readyz").problem("unavailable")
    gate.tell_ready(False, "no workers yet")
    assert wait_until(
        lambda: caller.request("GET", "/readyz").json.get("detail") == "no workers yet")
    gate.tell_ready()
    assert wait_until(lambda: caller.request("GET", "/readyz").status == 200)
    for target in ("/v1/runtimes", "/v1/executions", "/openapi.json",
                   f"/v1/executions/{EXECUTION_ID}"):
        caller.request("GET", target).problem("not_found")
    caller.post().problem("not_found")
    gate.ledger.close()
    answer = gate.operations().request("GET", "/metrics")
    assert answer.status == 200 and b"casemate_gate_ledger_lost_total 1" in answer.body
    gate.ledger, _ = channel.pair()


def test_probes_on_the_main_port_need_a_principal(gate):
    caller = gate.caller()
    caller.send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
    question = gate.question()
    assert (question.type, question.view) == (ASK_VIEW, 5)
    gate.refuse(question, "forbidden")
    caller.answer().problem("forbidden")


def test_reload_changes_limits_and_keeps_connections(make_gate):
    gate = make_gate(body_bytes_max=2048)
    caller = gate.caller()
    caller.request("GET", "/none").problem("not_found")
    old_port = gate.operations_port
    gate.config["body_bytes_max"] = 4096
    gate.configure()
    assert gate.commit() == channel.SETUP_READY
    caller.send((POST % (4000, "")) + "x" * 4000)
    assert len(gate.question().body) == 4000
    assert ready(gate)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", old_port))


def test_drain_finishes_what_runs(gate):
    idle = gate.caller()
    idle.request("GET", "/none").problem("not_found")
    caller, question = begin(gate)
    channel.send(gate.setup, channel.SETUP_DRAIN, u32(20000))
    assert idle.is_closed()
    gate.operations().request("GET", "/readyz").problem("draining")
    late = gate.caller()
    answer = late.post()
    answer.problem("draining")
    assert answer.headers["connection"] == "close" and answer.headers["retry-after"]
    gate.answer_execution(question)
    answer = caller.answer()
    assert answer.status == 200 and answer.headers["connection"] == "close"
    assert channel.receive(gate.setup).type == channel.SETUP_DRAINED
    assert gate.process.wait(10) == 0


def test_drain_ends_at_its_deadline(gate):
    begin(gate)
    start = time.monotonic()
    channel.send(gate.setup, channel.SETUP_DRAIN, u32(300))
    assert channel.receive(gate.setup).type == channel.SETUP_DRAINED
    assert 0.25 < time.monotonic() - start < 3 * SLOW


def test_silent_connections_do_not_hold_up_the_drain(gate):
    caller, question = begin(gate)
    channel.send(gate.setup, channel.SETUP_DRAIN, u32(20000))
    gate.operations().request("GET", "/readyz").problem("draining")
    gate.caller()
    gate.answer_execution(question)
    assert caller.answer().status == 200
    assert channel.receive(gate.setup, 3 * SLOW).type == channel.SETUP_DRAINED


def test_a_supervisor_of_another_version_is_refused():
    ours, theirs = channel.pair()
    process = channel.spawn(GATE, theirs)
    channel.send(ours, channel.SETUP_HELLO, text("9.9.9") + u32(0) + u32(1) + u8(3))
    assert channel.receive(ours) is None
    process.wait(10)


def test_it_is_confined(gate):
    with open(f"/proc/{gate.process.pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
    if os.geteuid() == 0:
        assert set(status["Uid"].split("\t")) == {"1900000902"}


def test_too_few_descriptors_are_named_at_the_start():
    gate = Gate(connections_max=1000)
    gate.launch()
    resource.prlimit(gate.process.pid, resource.RLIMIT_NOFILE, (5000, 5000))
    with pytest.raises(AssertionError, match="connections_max"):
        gate.begin()
    gate.process.wait(10)


def test_latency_stays_small(served):
    caller = served.caller()
    times = []
    for _ in range(2000):
        start = time.perf_counter()
        caller.request("GET", "/none")
        times.append(time.perf_counter() - start)
    # Python's own share is most of this; the gate's is a few dozen microseconds.
    assert sorted(times)[1000] < 0.002 * SLOW
