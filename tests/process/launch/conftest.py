import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "warden"))

from warden_service import Warden, runtime_message  # noqa: E402

BASH = [("argv", "/usr/bin/bash"), ("argv", "{code}"), ("argv", "{args}"), ("code", "main.sh"),
        ("env", "SHELL=/bin/bash"), ("version", "/usr/bin/bash"), ("version", "--version")]


def bash_message(**options):
    options = {"low": 1, "high": 2, "start": "exec", "plan": BASH, **options}
    return runtime_message("bash", "casemate-launch", seccomp="bash", **options)


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
