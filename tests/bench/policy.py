#!/usr/bin/python3
"""What judging code costs a caller. The reference for print(1) is the same interpreter under a name for
which there are no rules, in the same service, in turns: what differs is the judging alone. By itself:
`make bench-policy`."""

import json
import os
import shutil
import statistics
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import examine  # noqa: E402
from client import load  # noqa: E402
from service import Service  # noqa: E402

UNREAD = "unread"
ROUNDS, REQUESTS, PAUSE_US = 9, 200, 8000
FILE_ROUNDS, FILE_REQUESTS = 3, 100
POOL = {"pool_low": 8, "pool_high": 16}
LINES = 100
ABOUT = range(95, 106)


def program():
    """A hundred lines of the ordinary programs of tests/evaluate."""
    lines = []
    for path in sorted((ROOT / "tests/evaluate/ordinary").glob("*.py")):
        lines += path.read_text().splitlines(keepends=True)
    return "".join(lines[:LINES])


def files():
    """Files of about a hundred lines as people write them, with comments: those of Python's own library.
    The ordinary programs are short and dense, at 1.5 to 2 times as many words a line."""
    texts = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("**/*.py")):
        if not {"dist-packages", "site-packages", "test", "tests", "data"} & set(path.parts):
            text = path.read_text()
            texts += [text] if len(text.splitlines()) in ABOUT else []
    return texts


def is_accepted(service, text):
    answer = service.client().request("POST", "/v1/validations", json.dumps({"language": "python", "code": text}),
                                      {"Content-Type": "application/json"})
    return answer.json["verdict"] == "accepted"


def validation_us(service, text, requests):
    return load(service, {"language": "python", "code": text}, requests, path="/v1/validations")["p50_us"]


def unread_runtime(service):
    """The folder of a runtime that differs from python's by its name."""
    folder = service.folder / UNREAD
    shutil.copytree(ROOT / "sandbox/runtimes/python", folder, ignore=shutil.ignore_patterns("*.[ch]"))
    folder.chmod(0o755)
    return {"folder": str(folder), **POOL}


def measure():
    service = Service(user="root" if os.geteuid() == 0 else "ordinary",
                      config={"pool": {"workers_max": 40}, "principals": [
                          {"spiffe": "spiffe://casemate.local/client/dev", "tenant": "dev",
                           "roles": ["executor"], "policy": "standard"}]})
    service.write_config({"runtimes": {"python": POOL, UNREAD: unread_runtime(service),
                                       "bash": {"enabled": False}, "c": {"enabled": False},
                                       "javascript": {"enabled": False}}})
    rounds = {"python": [], UNREAD: []}
    with service:
        for turn in range(ROUNDS + 1):
            for language in sorted(rounds, reverse=turn % 2 == 0):
                p50 = load(service, {"language": language, "code": "print(1)"}, REQUESTS,
                           pause_us=PAUSE_US)["p50_us"]
                rounds[language] += [p50] if turn > 0 else []
        validations, trips = [], []
        for _ in range(ROUNDS):
            validations.append(validation_us(service, program(), REQUESTS))
            trips.append(load(service, None, REQUESTS, path="/livez")["p50_us"])
        whole = [statistics.median(validation_us(service, text, FILE_REQUESTS) for _ in range(FILE_ROUNDS))
                 for text in files() if is_accepted(service, text)]
    # The parser alone, woken for each text and by the clock of its processor: in less than that no
    # one can judge a text by its syntax.
    parse_us = examine.measure()["woken:lines.py"]
    return {"print_us": statistics.median(rounds["python"]), "unread_us": statistics.median(rounds[UNREAD]),
            "print_ratio": statistics.median(a / b for a, b in zip(rounds["python"], rounds[UNREAD])),
            "parse_us": parse_us, "trip_us": statistics.median(trips),
            "floor_ratio": statistics.median(a / (b + parse_us) for a, b in zip(validations, trips)),
            "validation_us": statistics.median(validations), "validation_best_us": min(validations),
            "files": len(whole), "files_us": statistics.median(whole), "files_best_us": min(whole),
            "files_worst_us": max(whole)}


def claims(results):
    floor_us = results["parse_us"] + results["trip_us"]
    return [("`print(1)` over mTLS, p50, against the same in a language that is not judged",
             results["print_us"], results["unread_us"], results["print_ratio"], 1.1, "most"),
            (f"validation of a file of about 100 lines over mTLS, p50, µs, against 1,000 (median of "
             f"{results['files']} of Python's library)",
             results["files_us"], 1000, results["files_us"] / 1000, 1, "most"),
            ("the same, 100 lines of short programs, which hold nearly twice as many words",
             results["validation_us"], 1000, results["validation_us"] / 1000, 1, "most"),
            ("the same, against the bare parser, woken as often, and a round trip to `/livez`",
             results["validation_us"], floor_us, results["floor_ratio"], 3, "most")]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
