"""If any step of the lockdown fails, no job runs. Uses the test build, which can make one fail."""

import pytest
from warden_service import Warden, program_of

STEPS = ["join namespaces", "join cgroups", "descriptors", "workspace", "uid", "death signal",
         "session", "interpreter", "lockdown", "rehearse", "prove"]

PROGRAM = program_of("test")

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="make VARIANT=test all")


@pytest.mark.parametrize("step", STEPS)
def test_the_service_does_not_start_with_a_worker_that_lacks(step):
    warden = Warden(instance="failing", preload=f"fail-step={step}", program=PROGRAM)
    try:
        with pytest.raises(RuntimeError, match="locking the worker down"):
            warden.wait_ready()
    finally:
        warden.close()
