"""Ten thousand executions over 64 connections, far more than the pool."""

import os
import time
from collections import Counter

from service import share_out

EXECUTIONS = int(os.environ.get("CASEMATE_LOAD", "10000"))
CONNECTIONS = 64


def drive(service, total, connections, on_answer):
    """`total` executions over `connections`; a 503 is retried after its Retry-After."""
    def execute(client, number, _):
        token = f"token-{number}-{os.urandom(6).hex()}"
        while True:
            answer = client.post({"language": "python", "code": f"print({token!r})"})
            if answer.status != 503:
                break
            assert int(answer.headers["retry-after"]) >= 1, answer
            time.sleep(0.2)
        on_answer(token, answer)

    share_out(service, range(total), connections, execute)


def test_ten_thousand_executions(own_service):
    service = own_service({
        "pool": {"workers_max": 24, "queue_max": 48},
        "runtimes": {"python": {"pool_low": 8, "pool_high": 16}},
    })
    total = EXECUTIONS if service.user == "root" or os.geteuid() != 0 else EXECUTIONS // 10
    answers = {}

    def check(token, answer):
        assert answer.status == 200, answer
        document = answer.json
        assert document["status"] == "succeeded", document
        assert document["stdout"] == token + "\n"
        answers[document["id"]] = document["record"]

    drive(service, total, CONNECTIONS, check)

    assert len(answers) == total
    rows = service.query(
        "SELECT execution_id, kind, idx, lower(hex(hash)) FROM records"
        " WHERE kind LIKE 'execution_%'"
    )
    kinds = Counter(kind for _, kind, _, _ in rows)
    finished = {row[0]: (row[2], row[3]) for row in rows if row[1] == "execution_finished"}
    assert {name: (record["index"], record["hash"]) for name, record in answers.items()} == finished
    assert kinds["execution_finished"] == total
    # What the queue had no room for was accepted and then refused: every start has one end.
    accepted = [name for name, kind, _, _ in rows if kind == "execution_accepted"]
    ends = Counter(name for name, kind, _, _ in rows
                   if kind in ("execution_finished", "execution_refused"))
    assert len(set(accepted)) == len(accepted)
    assert all(ends[name] == 1 for name in accepted)
