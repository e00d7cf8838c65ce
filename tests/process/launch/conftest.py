import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "warden"))

from warden_service import Warden, bash_message  # noqa: E402

@pytest.fixture(scope="module")
def warden():
    """Workers of the real launcher in real cells, with bash as their program."""
    warden = Warden(instance="launch", runtimes=[bash_message()]).wait_ready()
    yield warden
    warden.close()


@pytest.fixture
def bash(warden):
    def run(code, **options):
        return warden.run(code, runtime="bash", **options)

    return run
