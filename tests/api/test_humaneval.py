"""Ordinary programs run undisturbed: our own always, the HumanEval corpus where it is present."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from programs import PROGRAMS

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "humaneval.jsonl"


def loud(document):
    """An ordinary program gives no reason to look at it."""
    return [event for event in document["events"] if event["severity"] != "info"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_own_program(client, name):
    document = client.run(PROGRAMS[name][0])
    assert document["status"] == "succeeded", document
    assert document["stdout"] == PROGRAMS[name][1]
    assert loud(document) == []


@pytest.mark.may_skip
@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not part of the project")
def test_every_humaneval_solution_passes(service):
    problems = [json.loads(line) for line in CORPUS.read_text().splitlines()]
    assert len(problems) == 164

    def run(problem):
        code = "\n".join([problem["prompt"] + problem["canonical_solution"], problem["test"],
                          f"check({problem['entry_point']})"])
        client = service.client()
        try:
            document = client.run(code, limits={"wall_ms": 60000, "cpu_ms": 60000})
        finally:
            client.close()
        return problem["task_id"], document["status"], document["error"], loud(document)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, problems))
    assert [row for row in results if row[1] != "succeeded" or row[3]] == []
