"""A policy's lists reach the worker: a name that comes with the input, which no reading finds."""

import json

HIDDEN = "import os\nf = getattr(os, input())\nprint(f('true'))"
NO_SHELL = {"python": {"functions": {"deny": ["os.system"]}}}


def test_a_name_that_comes_at_run_time_is_refused_and_told(client):
    free = client.run(HIDDEN, stdin="system\n")
    document = client.run(HIDDEN, stdin="system\n", policy=NO_SHELL)

    assert (free["status"], free["stdout"]) == ("succeeded", "0\n")
    assert "policy_denied" not in [event["kind"] for event in free["events"]]
    assert document["status"] == "failed"
    assert not any(finding["rejects"] for finding in document["findings"])
    assert document["error"]["name"] == "PermissionError"
    assert "the policy request does not allow the function 'os.system'" in \
        document["error"]["message"]
    [event] = document["events"]
    assert (event["kind"], event["severity"], event["count"]) == ("policy_denied", "medium", 1)
    assert event["detail"] == "the function os.system: policy request denies os.system"
    assert "does not allow the function os.system" in event["hint"]
    assert event["syscall"] is None and event["pid"] is None


def test_the_lists_of_a_named_policy_are_held_to(client):
    code = "__import__(input())"

    document = client.run("f = getattr(__builtins__, input())\nf(input())\nprint('had it')",
                          stdin="__import__\nctypes\n", policy="standard")

    assert document["error"]["name"] == "ImportError", document
    assert "the policy standard does not allow the module 'ctypes'" in \
        document["error"]["message"]
    assert client.run(code, stdin="json\n", policy="standard")["status"] == "succeeded"


def test_it_is_counted_on_record(service, client):
    document = client.run("import os\nfor _ in range(3):\n    try:\n"
                          "        getattr(os, input())('true')\n"
                          "    except PermissionError:\n        pass",
                          stdin="system\n" * 3, policy=NO_SHELL)

    body = service.query("SELECT body FROM records WHERE execution_id = ? AND kind = ?",
                         document["id"], "execution_finished")[0][0]
    assert document["status"] == "succeeded", document
    assert json.loads(body)["events"] == {"policy_denied": 3}


def test_libraries_go_on_under_standard(client):
    code = ("import numpy as np\nimport pandas as pd\n"
            "print(np.arange(3).ctypes.data > 0, len(pd.DataFrame({'a': [1]})))")

    document = client.run(code, policy="standard")

    assert (document["stdout"], document["events"]) == ("True 1\n", [])


def test_lists_that_are_too_long_are_refused_with_their_place(client):
    names = [f"{'a' * 190}{i}" for i in range(8000)]

    answer = client.post({"language": "python", "code": "print(1)",
                          "policy": {"python": {"modules": {"deny": names}}}})

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/policy"
    assert "have more than 1048576 bytes" in answer.json["errors"][0]["detail"]
