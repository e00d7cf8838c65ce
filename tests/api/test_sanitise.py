"""What was changed of a request is in the answer, and what was not ran as it was sent."""

import hashlib
import json

OVERRIDE = "\u202e"


def told(document):
    return [(entry["pointer"], entry["change"]) for entry in document["sanitised"]]


def test_what_needs_nothing_is_as_it_was_sent(service, client):
    code = "print(repr('\u00e9\t\u202f'), end='')\r\nx = 1\r\n"

    document = client.run(code)

    body = service.query("SELECT body FROM records WHERE execution_id = ? AND kind = ?",
                         document["id"], "execution_accepted")[0][0]
    assert document["sanitised"] == []
    assert json.loads(body)["code_sha256"] == hashlib.sha256(code.encode()).hexdigest()


def test_a_byte_order_mark_goes_and_is_told(service, client):
    document = client.run("\ufeffprint('ran')")

    body = service.query("SELECT body FROM records WHERE execution_id = ? AND kind = ?",
                         document["id"], "execution_accepted")[0][0]
    assert (document["status"], document["stdout"]) == ("succeeded", "ran\n")
    assert told(document) == [("/code", "byte_order_mark_removed")]
    assert json.loads(body)["code_sha256"] == hashlib.sha256(b"print('ran')").hexdigest()
    assert client.get(f"/v1/executions/{document['id']}").json["sanitised"] == \
        document["sanitised"]


def test_a_script_with_the_line_ends_of_another_system_runs(client):
    document = client.run("for i in 1 2\r\ndo\r\n  echo $i\r\ndone\r\n", language="bash")

    assert (document["status"], document["stdout"]) == ("succeeded", "1\n2\n")
    assert told(document) == [("/code", "line_ends_unified")]


def test_paths_are_normalised_and_still_must_not_clash(client):
    code = "print(open('data/in.txt').read())"

    document = client.run(code, files=[{"path": "./data/./in.txt", "content": "x"}])
    clash = client.post({"language": "python", "code": code, "files": [
        {"path": "./a", "content": ""}, {"path": "a", "content": ""}]})
    out = client.post({"language": "python", "code": code, "files": [
        {"path": "./../a", "content": ""}]})

    assert document["stdout"] == "x\n"
    assert document["sanitised"] == [{
        "pointer": "/files/0/path", "change": "path_normalised",
        "detail": '"./data/./in.txt" became "data/in.txt"'}]
    assert clash.status == out.status == 422
    assert out.json["errors"][0]["pointer"] == "/files/0/path"


def test_what_could_deceive_a_reader_is_told_beside_the_findings(client):
    document = client.run(f"import sys, os\nprint(sys.argv[1:], os.environ['A'])  # {OVERRIDE}",
                          args=[f"a{OVERRIDE}", "\x1b[2J"],
                          env={"A": f"b{OVERRIDE}", "LD_PRELOAD": ""})

    assert "source-bidi" in [finding["rule"] for finding in document["findings"]]
    assert told(document) == [("/args/0", "direction_kept"), ("/args/1", "control_kept"),
                              ("/env/A", "direction_kept"), ("/env/LD_PRELOAD", "steering_kept")]
    assert document["stdout"] == f"{[f'a{OVERRIDE}', chr(27) + '[2J']} b{OVERRIDE}\n"


def test_rejected_code_and_validations_tell_it_too(client):
    bad = "\ufeffimport ctypes\n"

    document = client.run(bad, policy="standard")
    answer = client.request("POST", "/v1/validations",
                            json.dumps({"language": "python", "code": bad}).encode(),
                            {"Content-Type": "application/json"})

    assert document["status"] == "rejected"
    assert told(document) == told(answer.json) == [("/code", "byte_order_mark_removed")]
