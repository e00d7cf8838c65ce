"""If any step of the lockdown fails, no job runs. Needs a test build of the zygote."""

import pytest
from warden_service import PROGRAM, Warden

STEPS = ["join namespaces", "join cgroups", "descriptors", "workspace", "uid", "death signal",
         "session", "interpreter", "lockdown", "rehearse", "prove"]

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists() or b"made to fail" not in
    (PROGRAM.parent / "casemate-python").read_bytes(), reason="not a test build")


@pytest.mark.parametrize("step", STEPS)
def test_the_service_does_not_start_with_a_worker_that_lacks(step):
    warden = Warden(instance="failing", preload=f"fail-step={step}")
    try:
        with pytest.raises(RuntimeError, match="locking the worker down"):
            warden.wait_ready()
    finally:
        warden.close()
