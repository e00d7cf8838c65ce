"""A PKI and a front for each test; the PKI is made once."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import Front, certs, stamp  # noqa: E402


@pytest.fixture(scope="session")
def made_pki(tmp_path_factory):
    pki = tmp_path_factory.mktemp("front") / "pki"
    certs("init", "--pki", pki)
    certs("init", "--pki", pki.parent / "foreign")
    for name, *options in [
        ("web", "--dns", "Web.Example.org"),
        ("plain", "--common-name"),
        ("old", "--not-before", stamp(-9), "--not-after", stamp(-1)),
        ("young", "--not-before", stamp(1), "--not-after", stamp(9)),
        ("gone",),
        ("machine", "--server"),
        ("server-old", "--server", "--not-before", stamp(-9), "--not-after", stamp(-1)),
        ("server-new", "--server"),
    ]:
        certs("issue", name, "--pki", pki, *options)
    certs("revoke", "gone", "--pki", pki)
    return pki


@pytest.fixture
def pki(made_pki, tmp_path):
    """A copy that the test may change."""
    shutil.copytree(made_pki.parent / "foreign", tmp_path / "foreign")
    return Path(shutil.copytree(made_pki, tmp_path / "pki"))


@pytest.fixture
def make_front(pki):
    made = []

    def make(start=True, **options):
        made.append(Front(pki, **options))
        return made[-1].start() if start else made[-1]

    yield make
    for front in made:
        front.stop()


@pytest.fixture
def front(make_front):
    return make_front()
