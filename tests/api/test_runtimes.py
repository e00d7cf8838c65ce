"""Languages that do not come with the service, and those whose programs are not there."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from service import USERS, Service

# Says the code loudly, then its arguments and its input: an interpreter of ten lines.
SHOUT = """#!/bin/bash
if [ "$1" = --version ]; then
	echo "shout 1.2.3 (toy)"
	exit
fi
tr a-z A-Z <"$1"
shift
printf '<%s>\\n' "$@"
cat
[ "$MOOD" = bad ] && exit 9
[ "$MOOD" = limited ] && ulimit -n
exit 0
"""


@pytest.fixture
def folder():
    """A runtime's folder outside the tree, at a path that can be part of a root."""
    path = Path(tempfile.mkdtemp(prefix="shout-", dir="/var/tmp"))
    os.chmod(path, 0o755)
    (path / "shout").write_text(SHOUT)
    os.chmod(path / "shout", 0o755)
    document = {
        "program": "casemate-launch",
        "root": ["/usr", str(path)],
        "launch": {
            "argv": [f"{path}/shout", "{code}", "{args}"],
            "code": "main.shout",
            "version": [f"{path}/shout", "--version"],
            "env": {"MOOD": "good"},
        },
        "install": "copy it from somewhere",
    }
    (path / "runtime.json").write_text(json.dumps(document))
    yield path
    shutil.rmtree(path)


@pytest.fixture(params=USERS)
def make(request):
    made = []

    def make(**runtimes):
        made.append(Service(user=request.param, config={"runtimes": {
            "python": {"enabled": False}, "bash": {"pool_low": 1, "pool_high": 1}, **runtimes}}))
        return made[-1]

    yield make
    for service in made:
        service.remove()


def change(folder, **members):
    document = json.loads((folder / "runtime.json").read_text())
    document.update(members)
    (folder / "runtime.json").write_text(json.dumps(document))


def log_of_failed_start(service):
    service.start(wait=False)
    assert service.process.wait(60) != 0
    service.process = None
    return service.log()


def test_a_language_is_added_by_configuration_alone(make, folder):
    client = make(shout={"folder": str(folder)}).start().client()
    listed = {entry["name"]: entry for entry in client.get("/v1/runtimes").json["runtimes"]}

    assert {"bash", "shout"} <= set(listed) and "python" not in listed
    assert listed["shout"] == {"name": "shout", "version": "1.2.3", "modules": [],
                               "limits": listed["bash"]["limits"], "available": True,
                               "reason": None}
    answer = client.post({"language": "shout", "code": "hello\n", "args": ["a b"], "stdin": "in"})
    assert (answer.json["status"], answer.json["stdout"]) == ("succeeded", "HELLO\n<a b>\nin")
    answer = client.post({"language": "shout", "code": "x", "env": {"MOOD": "bad"}})
    assert (answer.json["status"], answer.json["exit_code"]) == ("failed", 9)
    assert answer.json["isolation"]["level"] == "full"
    client.close()


def test_a_language_has_default_limits_of_its_own(make, folder):
    change(folder, limits={"open_files": 77, "memory_bytes": 100 << 20})
    client = make(shout={"folder": str(folder)}).start().client()
    listed = {entry["name"]: entry for entry in client.get("/v1/runtimes").json["runtimes"]}
    request = {"language": "shout", "code": "", "env": {"MOOD": "limited"}}

    assert listed["shout"]["limits"] == {**listed["bash"]["limits"], "open_files": 77,
                                         "memory_bytes": 100 << 20}
    assert client.post(request).json["stdout"] == "<>\n77\n"
    asked = client.post({**request, "limits": {"open_files": 88}})
    assert asked.json["stdout"] == "<>\n88\n"
    client.close()


def test_the_folder_is_found_from_the_configurations_own(make, folder):
    service = make(shout={"folder": "mine"})
    shutil.copytree(folder, service.state / "mine")
    for path in [service.state / "mine", *(service.state / "mine").iterdir()]:
        os.chmod(path, 0o755)
    client = service.start().client()

    assert client.post({"language": "shout", "code": "hi\n"}).json["stdout"] == "HI\n<>\n"
    client.close()


BROKEN = {
    "no folder": (lambda folder: shutil.rmtree(folder / "gone", ignore_errors=True), "open the folder"),
    "no file": (lambda folder: (folder / "runtime.json").unlink(), "open runtime.json"),
    "no json": (lambda folder: (folder / "runtime.json").write_text("{"), "runtime.json, line 1"),
    "no program": (lambda folder: change(folder, program=None), "program"),
    "no argv": (lambda folder: change(folder, launch={}), "argv"),
    "no list of calls": (lambda folder: change(folder, seccomp="wish"), "no seccomp list"),
    "no root": (lambda folder: change(folder, root=["/usr", "/no/such"]), "/no/such"),
    "program missing": (lambda folder: (folder / "shout").unlink(),
                        "shout is not installed; copy it from somewhere"),
    "program outside the root": (lambda folder: change(folder, root=["/usr"]), "runtime's root"),
    "a limit out of bounds": (lambda folder: change(folder, limits={"open_files": 1}),
                              "open_files is not a number from 16 to 4096"),
    "a limit without default": (lambda folder: change(folder, limits={"workspace_bytes": 1 << 20}),
                                'no default of \\"workspace_bytes\\"'),
    "needs": (lambda folder: change(folder, needs=["/usr/lib/no-such"]),
              "/usr/lib/no-such is not installed; copy it from somewhere"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_configured_and_cannot_be_is_an_error_at_the_start(make, folder, name):
    spoil, why = BROKEN[name]
    spoil(folder)
    path = folder / "gone" if name == "no folder" else folder
    log = log_of_failed_start(make(shout={"folder": str(path)}))

    assert why in log and "shout" in log, log


def test_a_name_without_a_folder_is_an_error_at_the_start(make):
    assert "runtime ruby: none is installed" in log_of_failed_start(make(ruby={}))


def test_an_installed_language_without_its_program_is_left_out_and_says_so(make, folder):
    service = make()
    change(folder, needs=["/usr/lib/no-such"])
    installed = service.folder / "programs" / "share" / "casemate" / "runtimes" / "shout"
    installed.mkdir()
    shutil.copy(folder / "runtime.json", installed)
    os.chmod(installed, 0o755)
    os.chmod(installed / "runtime.json", 0o644)
    client = service.start().client()
    listed = {entry["name"]: entry for entry in client.get("/v1/runtimes").json["runtimes"]}
    why = "/usr/lib/no-such is not installed; copy it from somewhere"

    assert listed["shout"]["available"] is False and listed["shout"]["reason"] == why
    assert listed["bash"]["available"] is True
    assert "runtime_left_out" in service.log() and why in service.log()
    refused = client.post({"language": "shout", "code": "x"})
    assert refused.json["type"].endswith(":unknown_runtime") and why in refused.json["detail"]
    assert client.post({"language": "bash", "code": "echo 1"}).json["stdout"] == "1\n"
    client.close()
