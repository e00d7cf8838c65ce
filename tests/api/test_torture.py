"""Bad bodies: each gets a 4xx problem document, and nothing else happens."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent / "torture"
FILES = sorted(path for path in FOLDER.iterdir() if path.is_file() and path.suffix != ".md")
JSON = {"Content-Type": "application/json"}


def test_the_set_is_there():
    assert len(FILES) >= 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_bad_body(service, client, path):
    before = service.query("SELECT count(*) FROM records WHERE kind = 'execution_accepted'")
    answer = client.request("POST", "/v1/executions", path.read_bytes(), JSON)

    assert answer.status in (400, 413, 422), answer
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json["detail"]
    after = service.query("SELECT count(*) FROM records WHERE kind = 'execution_accepted'")
    assert before == after


def test_the_service_is_fine_afterwards(client):
    assert client.run("print(1)")["stdout"] == "1\n"
