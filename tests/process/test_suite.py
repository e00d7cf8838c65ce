"""What counts the tests (tests/support/suite.sh) counts those that die before they can say so."""

import subprocess
from pathlib import Path

import pytest

SUITE = Path(__file__).resolve().parents[1] / "support" / "suite.sh"
SAYS = "echo '[====] Synthesis: Tested: {} | Passing: {} | Failing: {} | Crashing: {}'"


def run_suite(folder, **units):
    paths = []
    for name, lines in units.items():
        paths.append(folder / f"unit-{name}")
        paths[-1].write_text(f"#!/bin/bash\n{lines}\n")
        paths[-1].chmod(0o755)
    done = subprocess.run([SUITE, folder, *paths], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()[-1]


def test_good_ones_are_added_up(tmp_path):
    assert run_suite(tmp_path, a=SAYS.format(3, 3, 0, 0), b=SAYS.format(4, 4, 0, 0)) == (
        0, "7 passed, 0 failed, 0 skipped")


@pytest.mark.parametrize("lines", ["kill -ABRT $$", "exit 1", SAYS.format(3, 3, 0, 0) + "; exit 1",
                                   SAYS.format(1, 0, 1, 0), SAYS.format(1, 0, 0, 1),
                                   "exec /nonexistent"])
def test_a_bad_one_fails_all_and_hides_no_other(tmp_path, lines):
    status, last = run_suite(tmp_path, a=lines, b=SAYS.format(4, 4, 0, 0))
    passed, failed = [int(word) for word in last.split() if word.isdigit()][:2]

    assert (status, failed) == (1, 1)
    assert passed >= 4
