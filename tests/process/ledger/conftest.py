"""A ledger for each test, as root and as an ordinary user."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ledger_harness import USERS, Ledger  # noqa: E402


@pytest.fixture(params=USERS)
def make_ledger(request):
    made = []

    def make(**options):
        made.append(Ledger(user=request.param, **options))
        return made[-1]

    yield make
    for ledger in made:
        ledger.remove()


@pytest.fixture
def ledger(make_ledger):
    return make_ledger().start()


@pytest.fixture
def peers(ledger):
    """(gate, validator, warden), and the service is ready."""
    return ledger.peers()
