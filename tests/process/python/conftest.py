import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "warden"))

from warden_service import Warden  # noqa: E402

PRELOAD = "json,ssl,threading,multiprocessing,asyncio,logging,numpy,pandas,no_such_module"


@pytest.fixture(scope="module")
def warden():
    """Workers of the real zygote in real cells, with what an operator preloads."""
    warden = Warden(instance="programs", preload=PRELOAD).wait_ready()
    yield warden
    warden.close()
