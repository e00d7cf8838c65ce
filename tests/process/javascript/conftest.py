import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "warden")]

from launcher import NODE  # noqa: E402
from warden_service import ROOT, Warden, runtime_message  # noqa: E402

FOLDER = ROOT / "sandbox/runtimes/javascript"


@pytest.fixture(autouse=True, scope="session")
def node():
    if not os.access(NODE, os.X_OK):
        pytest.skip(f"there is no {NODE}")


def plan():
    """What the supervisor makes of the runtime's own runtime.json."""
    launch = json.loads((FOLDER / "runtime.json").read_text())["launch"]
    words = [word if word != "{file:bootstrap.js}" else (FOLDER / "bootstrap.js").read_text()
             for word in launch["argv"]]
    return ([("argv", word) for word in words] + [("version", word) for word in launch["version"]]
            + [("env", f"{name}={value}") for name, value in launch["env"].items()]
            + [("ahead", "1")])


@pytest.fixture(scope="module")
def warden(node):
    """Workers of the real launcher in real cells, with node as their program."""
    message = runtime_message("javascript", "casemate-launch", seccomp="javascript", low=2, high=3,
                              start="ahead", plan=plan())
    warden = Warden(instance="javascript", runtimes=[message]).wait_ready()
    yield warden
    warden.close()


@pytest.fixture
def javascript(warden):
    return lambda code, **options: warden.run(code, runtime="javascript", **options)
