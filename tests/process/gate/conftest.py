"""A gate for each test, stopped and checked after it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from gate_harness import Gate  # noqa: E402


@pytest.fixture
def make_gate():
    made = []

    def make(is_ready=True, **options):
        made.append(Gate(**options).start(is_ready))
        return made[-1]

    yield make
    for gate in made:
        gate.stop()


@pytest.fixture
def gate(make_gate):
    return make_gate()


@pytest.fixture
def served(make_gate):
    """A gate whose ledger answers everything."""
    return make_gate().play_ledger()
