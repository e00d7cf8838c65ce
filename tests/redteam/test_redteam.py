"""Runs every probe with the wall whole, and again with its layers switched off.

The first run must say HELD. The second, against a test build of the same sources whose
configuration names the layers in `isolation.layers_disabled`, must say ESCAPED: only then has the
probe shown that it can see an escape. A release build refuses such a configuration.
"""

import socket
import subprocess
import threading

import pytest
from probes import PRELUDE, PROBES
from service import ROOT, USERS, Service

TEST_BUILD = ROOT / "build" / "test"


class Host:
    """Witnesses outside the wall: a canary, a writable folder, a listener, a victim."""

    def __init__(self, service):
        self.canary = service.folder / "canary"
        self.canary.write_text("canary")
        self.canary.chmod(0o644)
        self.drop = service.folder / "drop"
        self.drop.mkdir()
        self.drop.chmod(0o777)
        self.victim = subprocess.Popen(service.as_user("sleep", "600"))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.contacts = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                connection, peer = self.listener.accept()
            except OSError:
                return
            self.contacts.append(peer)
            connection.close()

    def fill(self, code):
        facts = {"canary": self.canary, "drop": self.drop, "victim": self.victim.pid,
                 "port": self.listener.getsockname()[1]}
        for key, value in facts.items():
            code = code.replace("{" + key + "}", str(value))
        return PRELUDE + code

    def close(self):
        self.listener.close()
        self.victim.kill()
        self.victim.wait()


def attack(client, host, probe):
    """What the probe saw. A job that the wall ended before it could speak was held too."""
    options = {"limits": probe.limits} if probe.limits else {}
    if probe.before:
        client.run(host.fill(probe.before))
    document = client.run(host.fill(probe.code), **options)
    words = document["stdout"].split(maxsplit=1)
    if words and words[0] in ("HELD", "ESCAPED"):
        return words[0], document["stdout"]
    ended = document["status"] in ("memory_exceeded", "timed_out", "output_exceeded", "killed")
    return ("HELD" if ended else "BROKEN"), document


@pytest.fixture(scope="module", params=USERS)
def whole(request):
    service = Service(user=request.param)
    try:
        host = Host(service)
        client = service.start().client()
        yield client, host
        host.close()
    finally:
        service.remove()


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.id)
def test_the_wall_holds(whole, probe):
    client, host = whole
    verdict, saw = attack(client, host, probe)
    assert verdict == "HELD", saw


def test_the_host_saw_nothing(whole):
    _, host = whole
    assert host.contacts == []
    assert list(host.drop.iterdir()) == []
    assert host.victim.poll() is None
    assert host.canary.read_text() == "canary"


def test_there_are_at_least_forty():
    assert len({probe.id for probe in PROBES}) >= 40


@pytest.fixture(scope="module")
def weakened():
    """Services by disabled layers, one at a time, because each holds a pool."""
    current = {}

    def get(layers):
        if current.get("layers") != layers:
            stop()
            service = Service(user=USERS[0], build=TEST_BUILD, config={
                "isolation": {"layers_disabled": sorted(layers), "layers_required": []}})
            current.update(layers=layers, service=service, host=Host(service))
            current["client"] = service.start().client()
        return current["client"], current["host"]

    def stop():
        if "service" in current:
            current["host"].close()
            current["service"].remove()
            current.clear()

    yield get
    stop()


@pytest.mark.skipif(not TEST_BUILD.exists(), reason="build it with `make VARIANT=test all`")
@pytest.mark.parametrize("probe", sorted(PROBES, key=lambda probe: sorted(probe.layers)),
                         ids=lambda probe: probe.id)
def test_the_probe_notices_when_its_layers_are_off(weakened, probe):
    client, host = weakened(probe.layers)
    verdict, saw = attack(client, host, probe)
    assert verdict == "ESCAPED", saw


def test_a_release_build_refuses_to_switch_a_layer_off():
    service = Service(user=USERS[0], config={"isolation": {"layers_disabled": ["seccomp"]}})
    try:
        service.start(wait=False)
        assert service.process.wait(20) != 0
        assert "layers_disabled" in service.log()
    finally:
        service.process = None
        service.remove()
