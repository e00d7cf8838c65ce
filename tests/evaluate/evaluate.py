#!/usr/bin/python3
"""How much the code policy sees: recall for each family, and what it says of ordinary programs.

A program is held out if the SHA-256 of its path below this folder is a multiple of three, so that
nobody chooses. The rules were tuned with --train, which neither judges nor shows what is held out.
Those below probing/ were written after the rules and against them; no rule was changed for them.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HUMANEVAL = ROOT.parent / "shared" / "corpora" / "humaneval.jsonl"
DOCUMENT = ROOT / "docs" / "EVALUATION.md"
BEGIN, END = "<!-- evaluate: begin -->", "<!-- evaluate: end -->"

SEVERITIES = ["info", "low", "medium", "high"]
# What `casemate check` prints first for each finding.
FINDING = re.compile(r"^.+?:\d+:\d+: (info|low|medium|high): .*\[([a-z0-9-]+), CWE-\d+\]$", re.M)

# The validator stopped before the end, because this machine was busy: that says nothing of rules.
OUT_OF_TIME = "source-limit"
TRIES = 5

# The layer that holds when the policy sees nothing.
LAYERS = {
    "command-injection": "namespaces, Landlock and seccomp: a shell has the rights of its job, no more",
    "code-evaluation": "the same process behind the same wall: code made at run time gains no right",
    "unsafe-deserialisation": "the same process behind the same wall: what an object runs gains no right",
    "sql-injection": "private workspace: the only database is the job's own file",
    "template-injection": "the same process behind the same wall: a worker holds no secret to show",
    "path-traversal": "read-only minimal root (`pivot_root`) and Landlock",
    "network": "network namespace without an interface; seccomp refuses and reports the socket",
    "process-spawn": "pid namespace, limit of processes in the cgroup; every `execve` is an event",
    "reflection": "the kernel's wall around the process: nothing relies on a border inside the interpreter",
    "weak-crypto": "none: it weakens the program's own data, not the wall",
    "secrets": "none for a secret in the code; the environment of a worker holds none",
    "resource-abuse": "cgroup (memory, processes, CPU), size of the tmpfs, rlimits, wall time",
    "encoded-payload": "what is decoded runs behind the same wall",
    "persistence": "private tmpfs; one worker runs one job and is destroyed",
    "reconnaissance": "no /proc, minimal root, own uts and pid namespaces, no network",
    "crypto-mining": "CPU and wall time; no network",
}


def is_held_out(name):
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 3 == 0


def half_of(name):
    if name.startswith("probing/"):
        return "probing"
    return "held out" if is_held_out(name) else "train"


def families(folder):
    """Rule -> family, from the rules' own files."""
    found = {}
    for path in folder.glob("*/*.json"):
        document = json.loads(path.read_text())
        found.update({rule["id"]: document["family"] for rule in document["rules"]})
    return found


def humaneval(folder):
    """The corpus as the files that it is judged as."""
    for line in HUMANEVAL.read_text().splitlines() if HUMANEVAL.exists() else []:
        task = json.loads(line)
        path = folder / (task["task_id"].replace("/", "-") + ".py")
        path.write_text(task["prompt"] + task["canonical_solution"] + task["test"] +
                        f"\ncheck({task['entry_point']})\n")
        yield path


def judge(command, path):
    """The findings as (severity, rule), and whether the program is rejected."""
    for _ in range(TRIES):
        run = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        if run.returncode not in (0, 1):
            sys.exit(f"{path}: {run.stderr.strip() or run.returncode}")
        findings = FINDING.findall(run.stdout)
        if OUT_OF_TIME not in (rule for _, rule in findings):
            break
    return findings, run.returncode == 1


def collect(options, family_of):
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        jobs = []
        for pattern in ("evasion/*/*", "probing/*/*", "ordinary/*"):
            for path in sorted(HERE.glob(pattern)):
                name = str(path.relative_to(HERE))
                if half_of(name) == "train" or not options.train:
                    jobs.append((name, path.parent.name, half_of(name), path))
        jobs += [(path.stem, "HumanEval", "train", path) for path in humaneval(Path(folder))]
        answers = pool.map(lambda job: judge(options.command, job[3]), jobs)
        return [{
            "name": name, "kind": kind, "half": half, "rejected": rejected,
            "severity": max((SEVERITIES.index(severity) for severity, _ in findings), default=-1),
            "rules": sorted({rule for _, rule in findings}),
            "own": any(family_of.get(rule) == kind for _, rule in findings),
        } for (name, kind, half, _), (findings, rejected) in zip(jobs, answers)]


def share(part, whole):
    return f"{part}/{whole}" if whole else "none"


def percent(part, whole):
    return f"{100 * part / whole:.0f}%" if whole else "none"


def recall_table(results, halves):
    head = [f"{half}: {column}" for half in halves
            for column in ("own", "low", "medium", "high")]
    yield "| family | " + " | ".join(head) + " |"
    yield "|---|" + "---|" * len(head)
    for family in [*sorted(LAYERS), "all"]:
        cells = []
        for half in halves:
            rows = [r for r in results if r["half"] == half and
                    (r["kind"] == family or family == "all" and r["kind"] in LAYERS)]
            cells.append(share(sum(r["own"] for r in rows), len(rows)))
            cells += [share(sum(r["severity"] >= level for r in rows), len(rows)) for level in (1, 2, 3)]
        yield f"| {family} | " + " | ".join(cells) + " |"


def ordinary_table(results):
    yield "| programs | number | no finding | info | low | medium | high | rejected |"
    yield "|---|---|---|---|---|---|---|---|"
    for kind, half in (("ordinary", "train"), ("ordinary", "held out"), ("HumanEval", "train")):
        rows = [r for r in results if (r["kind"], r["half"]) == (kind, half)]
        if rows:
            counts = [sum(r["severity"] == level for r in rows) for level in range(-1, 4)]
            label = kind if kind == "HumanEval" else f"{kind}, {half}"
            yield (f"| {label} | {len(rows)} | " + " | ".join(map(str, counts)) +
                   f" | {sum(r['rejected'] for r in rows)} |")


def precision_table(results, halves):
    yield "| a program is suspect from | " + " | ".join(
        f"{half}: {column}" for half in halves for column in ("recall", "precision")) + " |"
    yield "|---|" + "---|---|" * len(halves)
    for level, name in ((1, "low"), (2, "medium (`strict`)"), (3, "high (`standard`)")):
        cells = []
        for half in halves:
            bad = [r for r in results if r["half"] == half and r["kind"] in LAYERS]
            good = [r for r in results if r["half"] == half and r["kind"] == "ordinary"]
            hits = sum(r["severity"] >= level for r in bad)
            alarms = sum(r["severity"] >= level for r in good)
            cells += [percent(hits, len(bad)), percent(hits, hits + alarms) if good else "-"]
        yield f"| {name} | " + " | ".join(cells) + " |"


def miss_table(results):
    yield "| not seen by a rule of its family | half | highest other finding | what holds |"
    yield "|---|---|---|---|"
    for r in results:
        if r["kind"] in LAYERS and not r["own"]:
            other = "none" if r["severity"] < 0 else f"{SEVERITIES[r['severity']]}: {', '.join(r['rules'])}"
            yield f"| {r['name']} | {r['half']} | {other} | {LAYERS[r['kind']]} |"


def alarms(results):
    loud = [r for r in results if r["kind"] not in LAYERS and r["severity"] > 0]
    if loud:
        yield "| ordinary, with a finding above info | half | rules |"
        yield "|---|---|---|"
    for r in loud:
        yield f"| {r['name']} | {r['half']} | {SEVERITIES[r['severity']]}: {', '.join(r['rules'])} |"


def write_document(text):
    page = DOCUMENT.read_text()
    before, rest = page.split(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", action="store_true", help="leave out what is held out")
    parser.add_argument("--docs", action="store_true", help="write docs/EVALUATION.md")
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--rules", type=Path, default=ROOT / "validator/code/rules")
    parser.add_argument("command", nargs="+", help="what judges a file, e.g. casemate check")
    options = parser.parse_args()
    results = collect(options, families(options.rules))
    halves = ["train"] if options.train else ["train", "held out", "probing"]
    parts = [recall_table(results, halves), precision_table(results, halves), ordinary_table(results),
             miss_table(results), alarms(results)]
    text = "\n\n".join(filter(None, ("\n".join(part) for part in parts)))
    print(text)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.docs:
        write_document(text)
    failed = [r["name"] for r in results if r["kind"] == "ordinary" and r["rejected"] or
              r["kind"] == "HumanEval" and (r["rejected"] or r["severity"] > 0)]
    if failed:
        sys.exit("ordinary programs are rejected, or HumanEval has findings: " + ", ".join(failed))


if __name__ == "__main__":
    main()
