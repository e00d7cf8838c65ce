"""Each refusal has its own status, its own code and says what to do."""

import json
import threading
import time

import pytest
from service import wait_until

JSON = {"Content-Type": "application/json"}


def problem(answer, status, code):
    assert answer.status == status, answer
    assert answer.headers["content-type"].startswith("application/problem+json")
    document = answer.json
    assert document["code"] == code, document
    assert document["status"] == status and document["title"]
    return document


def test_400_bad_json(client):
    problem(client.request("POST", "/v1/executions", '{"language":', JSON), 400, "bad_json")


def test_404(client):
    problem(client.get("/nothing"), 404, "not_found")
    problem(client.get("/v1/executions/00000000000000000000000000"), 404, "not_found")
    problem(client.get("/v1/executions/not-an-id"), 404, "not_found")


def test_405_has_allow(client):
    answer = client.request("DELETE", "/v1/executions")
    problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]


def test_406(client):
    answer = client.post({"language": "python", "code": "1"}, {"Accept": "image/png"})
    problem(answer, 406, "not_acceptable")


def test_411_chunked(client):
    answer = client.request(
        "POST", "/v1/executions", iter([b"{}"]), {**JSON, "Transfer-Encoding": "chunked"}
    )
    problem(answer, 411, "length_required")


def test_413(own_service):
    service = own_service({"http": {"body_bytes_max": 10000}})
    client = service.client()
    answer = client.post({"language": "python", "code": "#" * 20000})
    problem(answer, 413, "body_too_large")
    assert client.run("print(1)")["stdout"] == "1\n"


def test_415(client):
    body = json.dumps({"language": "python", "code": "1"})
    problem(
        client.request("POST", "/v1/executions", body, {"Content-Type": "text/plain"}),
        415,
        "unsupported_media_type",
    )
    answer = client.request("POST", "/v1/executions", body, {**JSON, "Content-Encoding": "gzip"})
    problem(answer, 415, "unsupported_media_type")


def test_422_lists_every_fault(client):
    answer = client.post({"language": 5, "cod": "x", "args": [1]})
    document = problem(answer, 422, "invalid")
    pointers = {fault["pointer"] for fault in document["errors"]}
    assert {"/language", "/cod", "/args/0"} <= pointers
    for fault in document["errors"]:
        assert fault["detail"]


def test_422_unknown_language_names_the_known_ones(client):
    document = problem(client.post({"language": "cobol", "code": "x"}), 422, "unknown_runtime")
    assert "python" in json.dumps(document)


def test_422_above_the_tenants_ceiling(own_service):
    service = own_service({"tenants": {"dev": {"ceilings": {"wall_ms": 2000}}}})
    client = service.client()
    answer = client.post({"language": "python", "code": "1", "limits": {"wall_ms": 2001}})
    document = problem(answer, 422, "above_ceiling")
    assert document["errors"][0]["pointer"] == "/limits/wall_ms"
    assert "2000" in document["errors"][0]["detail"] and "dev" in json.dumps(document)
    # The default is above the ceiling too: it is lowered, not refused.
    assert client.run("print(1)")["stdout"] == "1\n"


@pytest.mark.parametrize(
    "path", ["../x", "/etc/x", "a/../../x", "a//b", "a\u0001b", "", ".", "a/", "x" * 2000, "con\n"]
)
def test_422_file_paths(client, path):
    answer = client.post(
        {"language": "python", "code": "1", "files": [{"path": path, "content": "x"}]}
    )
    document = problem(answer, 422, "invalid")
    assert document["errors"][0]["pointer"].startswith("/files/0")


def test_403_for_a_valid_certificate_nobody_mapped(service):
    service.tool("certs", "issue", "stranger", "--pki", service.pki)
    client = service.client("stranger")
    problem(client.post({"language": "python", "code": "1"}), 403, "forbidden")
    problem(client.get("/v1/runtimes"), 403, "forbidden")


def test_403_without_the_executor_role_and_by_wildcard(own_service):
    service = own_service(start=False)
    for name in ("ann", "bob"):
        service.tool("certs", "issue", name, "--role", "auditor", "--pki", service.pki)
    service.config["principals"].append(
        {"spiffe": "spiffe://casemate.local/auditor/*", "tenant": "dev", "roles": ["auditor"],
         "policy": "default"}
    )
    service.write_config()
    service.start()
    executed = service.client().run("print('seen by auditors')")
    client = service.client("ann")
    problem(client.post({"language": "python", "code": "1"}), 403, "forbidden")
    assert client.get(f"/v1/executions/{executed['id']}").json == executed


def test_other_tenants_executions_do_not_exist(own_service):
    service = own_service(start=False)
    service.tool("certs", "issue", "other", "--uri",
                 "spiffe://casemate.local/client/other", "--pki", service.pki)
    service.config["tenants"]["other"] = {}
    service.config["principals"].append(
        {"spiffe": "spiffe://casemate.local/client/other", "tenant": "other",
         "roles": ["executor"], "policy": "default"}
    )
    service.write_config()
    service.start()
    executed = service.client().run("print('mine')")
    other = service.client("other")
    problem(other.get(f"/v1/executions/{executed['id']}"), 404, "not_found")
    assert other.run("print('theirs')")["stdout"] == "theirs\n"


def test_429_rate_with_retry_after(own_service):
    service = own_service({"tenants": {"dev": {"rate_per_minute": 5}}})
    client = service.client()
    answers = [client.post({"language": "python", "code": "1"}) for _ in range(8)]
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) >= 2
    problem(refused[0], 429, "rate_limited")
    assert int(refused[0].headers["retry-after"]) >= 1


def test_429_concurrency(own_service):
    service = own_service({"tenants": {"dev": {"concurrency_max": 1}}})
    # Which of two requests comes first is the scheduler's choice: the sleeper asks until it is in.
    sleep = {"language": "python", "code": "import time; time.sleep(1.5)"}
    sleeper = threading.Thread(
        target=lambda: wait_until(lambda: service.client().post(sleep).status == 200)
    )
    sleeper.start()
    client = service.client()
    assert wait_until(lambda: client.post({"language": "python", "code": "1"}).status == 429)
    sleeper.join()
    assert client.run("print(1)")["stdout"] == "1\n"


def test_503_queue_full_and_queue_timeout(own_service):
    service = own_service(
        {
            "pool": {"workers_max": 2, "queue_max": 2, "queue_timeout_ms": 400},
            "runtimes": {"python": {"pool_low": 1, "pool_high": 2}},
        }
    )
    answers = []

    def call():
        answers.append(service.client().post(
            {"language": "python", "code": "import time; time.sleep(1.2)"}))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
        time.sleep(0.03)
    for thread in threads:
        thread.join()
    codes = sorted(answer.json.get("code", "ok") for answer in answers)
    assert set(codes) == {"ok", "queue_full", "queue_timeout"}, codes
    for answer in answers:
        if answer.status == 503:
            assert int(answer.headers["retry-after"]) >= 1
    # Both workers are used up, and a loaded machine may need longer than the queue waits.
    assert wait_until(lambda: service.client().post(
        {"language": "python", "code": "print(1)"}).status == 200)


def test_refusals_are_on_record(service, client):
    before = service.query("SELECT count(*) FROM records WHERE kind = 'execution_refused'")[0][0]
    client.post({"language": "python"})
    after = service.query("SELECT count(*) FROM records WHERE kind = 'execution_refused'")[0][0]
    assert after == before + 1


def test_head_and_options(client):
    answer = client.request("HEAD", "/v1/runtimes")
    assert answer.status == 200 and answer.body == b""
    answer = client.request("OPTIONS", "/v1/executions")
    assert answer.status == 204 and "POST" in answer.headers["allow"]


def test_operations_listener_needs_no_certificate(service):
    assert service.operations("/livez").status == 200
    assert service.operations("/readyz").status == 200
    metrics = service.operations("/metrics")
    assert metrics.status == 200
    assert b"# TYPE casemate_executions_total counter" in metrics.body
    assert service.operations("/v1/runtimes").status == 404
