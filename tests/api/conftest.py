"""One service per user for the whole run; tests that break or reconfigure it start their own."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from service import USERS, Service  # noqa: E402


@pytest.fixture(scope="session", params=USERS)
def service(request):
    instance = Service(user=request.param)
    try:
        yield instance.start()
    finally:
        instance.remove()


@pytest.fixture
def client(service):
    connection = service.client()
    yield connection
    connection.close()


@pytest.fixture(params=USERS)
def own_service(request):
    """A factory of services that this test alone uses."""
    made = []

    def make(config=None, start=True):
        instance = Service(user=request.param, config=config)
        made.append(instance)
        return instance.start() if start else instance

    yield make
    for instance in made:
        instance.remove()


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With MUST_RUN=1 (CI) a skip hides a gap, so it is a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("MUST_RUN") == "1" and not hasattr(report, "wasxfail"):
        if "may_skip" not in item.keywords:
            report.outcome = "failed"
            report.longrepr = f"skipped although MUST_RUN=1: {report.longrepr}"
