"""With MUST_RUN=1 (CI) a skip hides a gap, so it is a failure."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("MUST_RUN") == "1" and not hasattr(report, "wasxfail"):
        if "may_skip" not in item.keywords:
            report.outcome = "failed"
            report.longrepr = f"skipped although MUST_RUN=1: {report.longrepr}"
