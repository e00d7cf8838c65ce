"""Ordinary programs in JavaScript and bash run undisturbed, and give no reason to look at them."""

import programs_bash
import programs_javascript
import pytest
from test_humaneval import loud


def run(client, language, code):
    answer = client.post({"language": language, "code": code})
    assert answer.status == 200, answer
    return answer.json


@pytest.mark.parametrize("name", programs_javascript.PROGRAMS)
def test_javascript(client, name):
    code, stdout, result = programs_javascript.PROGRAMS[name]
    document = run(client, "javascript", code)

    if name == "worker thread" and "cgroup_memory" not in document["isolation"]["layers"]:
        # Memory is address space there, and each of node's threads reserves gigabytes of it.
        assert document["status"] in ("failed", "killed")
        return
    assert (document["status"], document["stderr"]) == ("succeeded", ""), document
    assert (document["stdout"], document["result"]) == (stdout, result)
    assert loud(document) == [] and document["files"] == []


@pytest.mark.parametrize("name", programs_bash.PROGRAMS)
def test_bash(client, name):
    code, stdout = programs_bash.PROGRAMS[name]
    document = run(client, "bash", code)

    assert (document["status"], document["stdout"]) == ("succeeded", stdout), document
    assert loud(document) == [] and document["files"] == []
