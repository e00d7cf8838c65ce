"""`make bench`: the service against physical floors measured in the same run.

Absolute times on a shared machine mean little, so every claim is a ratio of medians. Writes
build/bench.json; with --docs also the table in docs/BENCHMARKS.md. Exits 1 when a ratio misses
its bound, so it can gate a release; it is no test and CI does not run it.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import examine  # noqa: E402
import hostile  # noqa: E402
import policy  # noqa: E402
import schema  # noqa: E402
import turns  # noqa: E402
from client import load  # noqa: E402
from service import Service, wait_until  # noqa: E402

BIN = ROOT / "build" / "release" / "bench"
TEST_BUILD = ROOT / "build" / "test"
PRINT = {"language": "python", "code": "print(1)"}
# What is asked for is within the noise of a few turns.
NOTIFIER_TURNS = 15
# Python alone: what is counted by the names of processes counts no other runtime's.
BUSY_CONFIG = {
    "pool": {"workers_max": 64, "queue_max": 1024},
    "runtimes": {"python": {"pool_low": 12, "pool_high": 32}, "bash": {"enabled": False},
                 "c": {"enabled": False}, "javascript": {"enabled": False}},
    "tenants": {"dev": {"concurrency_max": 1024}},
}


def pss_bytes(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(pid)


def pool_is_full(service, ready):
    return f'casemate_workers_ready{{language="python"}} {ready}' in \
        service.operations("/metrics").body.decode()


def worker_pss(service, ready):
    """PSS of each idle worker: its interpreter and its share of the cell's init."""
    assert wait_until(lambda: pool_is_full(service, ready), timeout=60)
    children = service.children()
    zygote_and_workers = children["casemate-python"]
    inits = children.get("casemate-cell", [])
    # The zygote is the oldest of its name, the cell maker of its own.
    workers = zygote_and_workers[1:]
    makers_children = inits[1:]
    total = sum(map(pss_bytes, workers)) + sum(map(pss_bytes, makers_children))
    return total / len(workers), len(workers)


DENIED_CALLS = """
import ctypes, time
call = ctypes.CDLL(None).syscall
def took(number):
    began = time.perf_counter()
    for _ in range(2000): call(number, 2, 1, 0)
    return (time.perf_counter() - began) / 2000 * 1e6
took(41), took(39)
print(took(41) - took(39))
"""


def denied_call_us(service):
    """What a refused socket() costs its caller beyond a getpid(), both through ctypes."""
    client = service.client()
    try:
        return statistics.median(float(client.run(DENIED_CALLS)["stdout"]) for _ in range(5))
    finally:
        client.close()


def notifier():
    """Executions per second with and without denial events, in turns, on test builds (a release
    build cannot leave a layer out); nothing is denied in them."""
    user = "root" if os.geteuid() == 0 else "ordinary"
    quiet = {**BUSY_CONFIG, "isolation": {"layers_disabled": ["denial_events"],
                                          "layers_required": []}}
    rates = {"with": [], "without": []}
    with Service(user=user, config=BUSY_CONFIG, build=TEST_BUILD) as told, \
            Service(user=user, config=quiet, build=TEST_BUILD) as untold:
        for service in (told, untold):
            load(service, PRINT, 200, connections=4)
        for turn in range(NOTIFIER_TURNS):
            pair = [("with", told), ("without", untold)]
            for name, service in pair if turn % 2 == 0 else reversed(pair):
                rates[name].append(load(service, PRINT, 1000, connections=8)["per_second"])
        denied = denied_call_us(told)
    return {name: statistics.median(values) for name, values in rates.items()} | {
        "ratio": statistics.median(a / b for a, b in zip(rates["with"], rates["without"])),
        "denied_call_us": denied}


def measure():
    results = {}
    preload = json.loads((ROOT / "sandbox/runtimes/python/runtime.json").read_text())["preload"]
    modules = ",".join(preload) if isinstance(preload, list) else preload
    floor = subprocess.run([BIN / "floor", modules, "300"], capture_output=True, text=True,
                           check=True)
    results["floor"] = json.loads(floor.stdout)
    results["schema"] = schema.measure()
    results["examine"] = examine.measure()
    service = Service(user="root" if os.geteuid() == 0 else "ordinary", config=BUSY_CONFIG)
    with service:
        load(service, PRINT, 200, connections=4)
        results["print_paced"] = load(service, PRINT, 1000, pause_us=8000)
        results["print_closed_loop"] = load(service, PRINT, 2000)
        results["throughput_16"] = load(service, PRINT, 4000, connections=16)
        results["throughput_16_again"] = load(service, PRINT, 4000, connections=16)
    with Service(user=service.user, config=BUSY_CONFIG) as alone:
        pss, count = worker_pss(alone, 32)
        results["idle_worker_pss_bytes"], results["idle_workers"] = pss, count
    results["turns"] = turns.measure()
    results["notifier"] = notifier()
    results["policy"] = policy.measure()
    results["hostile"] = [hostile.measure() for _ in range(hostile.TURNS)]
    return results


def claims(results):
    """(name, ours, reference, ratio, bound, "at most" or "at least")"""
    floor, told = results["floor"], results["notifier"]
    print_p50 = results["print_paced"]["p50_us"]
    loop = results["print_closed_loop"]
    per_second = statistics.median(
        [results["throughput_16"]["per_second"], results["throughput_16_again"]["per_second"]])
    rows = [
        ("`print(1)` over mTLS, p50, against bare fork, print, exit", print_p50,
         floor["fork_print_exit_us"], 3, "most"),
        ("p99 against p50, one connection", results["print_paced"]["p99_us"], print_p50, 5,
         "most"),
        ("p99 against p50, one connection, back to back", loop["p99_us"], loop["p50_us"], 5,
         "most"),
        ("executions per second, 16 connections, against a bare loop into namespaces",
         per_second, floor["namespaces_per_second_one_loop"], 0.6, "least"),
        ("memory of an idle worker (PSS) against 6 MB", results["idle_worker_pss_bytes"], 6e6, 1,
         "most"),
        ("a denied call, microseconds, against 60", told["denied_call_us"], 60, 1,
         "most"),
    ]
    return turns.claims(results["turns"]) + [
        (name, ours, reference, ours / reference, bound, kind)
        for name, ours, reference, bound, kind in rows
    ] + [
        ("executions per second with denial events, against without", told["with"],
         told["without"], told["ratio"], 0.97, "least"),
    ] + hostile.claims(results["hostile"]) + schema.claims(results["schema"]) + \
        examine.claims(results["examine"])


def figure(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def table(rows, results):
    lines = ["| measured | ours | reference | ratio | bound | holds |", "|---|---|---|---|---|---|"]
    for name, ours, reference, ratio, bound, kind in rows:
        holds = ratio <= bound if kind == "most" else ratio >= bound
        lines.append(f"| {name} | {figure(ours)} | {figure(reference)} | {ratio:.3f} | "
                     f"at {kind} {bound} | {'yes' if holds else '**no**'} |")
    return "\n".join(lines)


def main():
    results = measure()
    rows = claims(results) + policy.claims(results["policy"])
    results["claims"] = [dict(zip(("name", "ours", "reference", "ratio", "bound", "kind"), row))
                         for row in rows]
    results["machine"] = {"kernel": platform.release(), "cores": os.cpu_count(),
                          "python": platform.python_version()}
    (ROOT / "build" / "bench.json").write_text(json.dumps(results, indent=2) + "\n")
    print(table(rows, results))
    if "--docs" in sys.argv:
        page = ROOT / "docs" / "BENCHMARKS.md"
        head = page.read_text().split("<!-- table -->")[0]
        page.write_text(head + "<!-- table -->\n\n" + table(rows, results) + "\n")
    missed = [row[0] for row in rows if not (row[3] <= row[4] if row[5] == "most"
                                             else row[3] >= row[4])]
    for name in missed:
        print(f"missed: {name}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
