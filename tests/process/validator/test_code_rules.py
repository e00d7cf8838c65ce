"""The rules that are installed: every example of theirs holds, all families are there, and what
measures them (tests/evaluate) notices a policy that sees nothing or refuses everything."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / os.environ.get("VARIANT", "release")
CASEMATE = BUILD / "bin" / "casemate"
SOURCE = ROOT / "validator" / "code" / "rules"
SETS = ROOT / "tests" / "evaluate"
LANGUAGES = {"python": "py-", "javascript": "js-", "bash": "sh-"}
FAMILIES = {
    "command-injection", "code-evaluation", "unsafe-deserialisation", "sql-injection",
    "template-injection", "path-traversal", "network", "process-spawn", "reflection", "weak-crypto",
    "secrets", "resource-abuse", "encoded-payload", "persistence", "reconnaissance", "crypto-mining"}

sys.path.insert(0, str(SETS))
import evaluate  # noqa: E402


def documents():
    return {path: json.loads(path.read_text()) for path in sorted(SOURCE.glob("*/*.json"))}


def check(*arguments):
    return subprocess.run([CASEMATE, "check", *arguments], capture_output=True, text=True, check=False)


def test_every_example_holds():
    number = sum(len(document["rules"]) for document in documents().values())

    done = check("--rules", SOURCE)

    assert number >= 120
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.splitlines()[-1] == f"{number} rules, 0 with an example that fails"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_that_fails_is_told(tmp_path, language):
    document = json.loads((SOURCE / language / "network.json").read_text())
    rule = document["rules"][0]
    rule["match"].append(rule["no_match"][0])
    (tmp_path / language).mkdir()
    (tmp_path / language / "network.json").write_text(json.dumps({**document, "rules": [rule]}))

    done = check("--rules", tmp_path)

    assert done.returncode != 0
    assert rule["id"] in done.stdout + done.stderr


def test_all_families_in_all_languages():
    found = {(document["language"], document["family"]) for document in documents().values()}

    assert found == {(language, family) for language in LANGUAGES for family in FAMILIES}


def test_a_file_is_where_it_says_and_ids_are_of_its_language():
    for path, document in documents().items():
        assert (path.parent.name, path.stem) == (document["language"], document["family"])
        for rule in document["rules"]:
            assert rule["id"].startswith(LANGUAGES[document["language"]])


def test_the_sets_are_as_large_as_they_say():
    evasion = sorted(SETS.glob("evasion/*/*"))
    ordinary = sorted(SETS.glob("ordinary/*"))
    by_family = {family: sum(path.parent.name == family for path in evasion) for family in FAMILIES}
    held_out = sum(evaluate.is_held_out(str(path.relative_to(SETS))) for path in evasion)

    assert len(evasion) >= 150 and min(by_family.values()) >= 5 and len(ordinary) == 200
    assert len(evasion) / 4 < held_out < len(evasion) / 2


def run_evaluate(tmp_path, script):
    done = subprocess.run(
        [sys.executable, SETS / "evaluate.py", "--train", "--json", tmp_path / "results.json", "--",
         "sh", "-c", script], capture_output=True, text=True, check=False)
    return done, json.loads((tmp_path / "results.json").read_text())


def test_a_policy_that_sees_nothing_has_no_recall(tmp_path):
    done, results = run_evaluate(tmp_path, "exit 0")

    assert done.returncode == 0
    assert not any(result["own"] for result in results)
    assert "held out" not in {result["half"] for result in results}


def test_a_policy_that_refuses_everything_is_no_good(tmp_path):
    done, results = run_evaluate(tmp_path, 'echo "$0:1:1: high: bad [py-eval, CWE-95]"; exit 1')

    assert done.returncode == 1 and "ordinary programs are rejected" in done.stderr
    assert all(result["rejected"] and result["severity"] == 3 for result in results)
    assert {result["kind"] for result in results if result["own"]} == {"code-evaluation"}


@pytest.mark.parametrize("name, source, rule", [
    ("a.py", "import os as o\nrun = getattr(o, 'sys' + 'tem')\nrun('ls ' + input())\n", "py-shell-command-built"),
    ("a.js", "const { exec: e } = require('node:child_process');\ne(`ls ${process.argv[2]}`);\n", "js-exec-built"),
    ("a.sh", "echo aWQ= | base64 -d | b'a'sh\n", "sh-pipe-to-shell")])
def test_a_program_is_rejected_for_what_it_is(tmp_path, name, source, rule):
    (tmp_path / name).write_text(source)

    done = check(tmp_path / name)

    assert done.returncode == 1
    assert rule in {found for _, found in evaluate.FINDING.findall(done.stdout)}
