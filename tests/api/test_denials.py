"""Events through the whole service: in the answer, on record, in the metrics."""

import json
import subprocess

from service import ROOT

ATTEMPT = """
import ctypes, socket
try: socket.create_connection(("192.0.2.1", 443))
except OSError: pass
libc = ctypes.CDLL(None)
for _ in range(3): libc.unshare(0x10000000)
open("left.txt", "w").write("x")
"""


def test_what_was_tried_is_in_the_answer(client):
    document = client.run(ATTEMPT)
    events = {event["kind"]: event for event in document["events"]}

    assert document["status"] == "succeeded" and document["events_dropped"] == 0
    assert set(events) == {"network_denied", "namespace_denied", "files_left"}
    network, namespace = events["network_denied"], events["namespace_denied"]
    assert (network["severity"], network["syscall"], network["count"]) == ("low", "socket", 1)
    assert "network is off" in network["hint"] and "egress" in network["hint"]
    assert namespace["severity"] == "high" and namespace["count"] == 3
    assert namespace["detail"] == "unshare: CLONE_NEWUSER"
    assert events["files_left"]["hint"] is None and events["files_left"]["severity"] == "info"
    assert "denial_events" in document["isolation"]["layers"]
    assert client.get(f"/v1/executions/{document['id']}").json["events"] == document["events"]


def test_it_is_counted_on_record_and_in_the_metrics(service, client):
    def counted(kind):
        line = next(line for line in service.operations("/metrics").body.decode().splitlines()
                    if line.startswith(f'casemate_events_total{{kind="{kind}"}}'))
        return int(line.split()[-1])

    before = counted("namespace_denied")
    document = client.run(ATTEMPT)
    assert counted("namespace_denied") == before + 3
    body = service.query("SELECT body FROM records WHERE execution_id = ? AND kind = ?",
                         document["id"], "execution_finished")[0][0]
    assert json.loads(body)["events"] == {"network_denied": 1, "namespace_denied": 3,
                                          "files_left": 1}


def test_a_quiet_program_has_no_events(client):
    assert client.run("print(sum(range(10)))")["events"] == []


def test_the_tables_are_published():
    told = subprocess.run([ROOT / "build" / "release" / "bin" / "casemate", "policy", "show",
                           "--seccomp", "--json"], capture_output=True, check=True, text=True)
    lists = {entry["name"]: entry for entry in json.loads(told.stdout)["lists"]}
    base = {rule["syscall"]: rule for rule in lists["base"]["rules"] if not rule["condition"]}

    assert set(lists) == {"base", "python", "javascript", "bash", "c", "init",
                          "landlock", "shared_uid", "no_processes"}
    assert base["read"]["action"] == "allow" and base["read"]["reason"]
    assert base["socket"]["action"] == "deny" and base["socket"]["event"] == "network_denied"
    assert base["clone3"]["errno"] == "ENOSYS"
    assert len(lists["python"]["rules"]) > len(lists["base"]["rules"])
