import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from warden_service import Warden  # noqa: E402


@pytest.fixture(scope="module")
def shared():
    """One warden for the tests that leave it as they found it."""
    warden = Warden(instance="shared").wait_ready()
    yield warden
    warden.close()


@pytest.fixture
def fresh():
    """Makes wardens that end with the test."""
    made = []

    def make(**options):
        made.append(Warden(**options))
        return made[-1]

    yield make
    for warden in made:
        warden.close()
