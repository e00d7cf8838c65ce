"""kill -9 of each process in turn under load; drain; reload; a full disk."""

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import ssl
import stat
import struct
import threading
import time
from pathlib import Path

import pytest
from service import Service, wait_until

# The supervisor's own end is the business of whoever started it (systemd, Kubernetes): its
# children go with it, and a new one finds nothing in its way. That is the last test's case.
VICTIMS = ["casemate-front", "casemate-gate", "casemate-ledger", "casemate-validator",
           "casemate-warden", "casemate-cell", "casemate-python"]


def processes_of(folder):
    """Every process whose program or command line belongs to this service."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if str(folder) in os.readlink(entry / "exe"):
                    found.append(int(entry.name))
    return found


def cgroups(service):
    """Those of this service alone: others may run on this machine, and come and go."""
    state = service.state.stat()
    root = Path("/sys/fs/cgroup")
    return {path for path in root.rglob(f"casemate-{state.st_dev:x}-{state.st_ino:x}*")
            if path.is_dir()}


def mounts():
    return Path("/proc/self/mountinfo").read_text().count("\n")


class Load:
    """A few callers that go on whatever happens and keep what they were answered."""

    def __init__(self, service, callers=4):
        self.service, self.stopping = service, False
        self.answered, self.problems, self.successes_at = [], [], []
        self.threads = [threading.Thread(target=self.call) for _ in range(callers)]

    def call(self):
        client = self.service.client(timeout=30)
        while not self.stopping:
            try:
                answer = client.post(
                    {"language": "python", "code": "import time; time.sleep(0.02); print('ok')"})
            except (OSError, http.client.HTTPException, ssl.SSLError):
                client.close()
                time.sleep(0.02)
                continue
            if answer.status == 200:
                self.answered.append(answer.json)
                if answer.json["status"] == "succeeded":
                    self.successes_at.append(time.monotonic())
            else:
                self.problems.append(answer)
                time.sleep(0.02)
        client.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join()


def victim_pid(service, name):
    # /proc/<pid>/comm holds at most 15 characters.
    pids = service.children().get(name[:15], [])
    return pids[0] if pids else None


@pytest.mark.parametrize("name", VICTIMS)
def test_kill_one_process_under_load(own_service, name):
    service = own_service()
    with Load(service) as load:
        assert wait_until(lambda: len(load.successes_at) > 20, timeout=20)
        pid = victim_pid(service, name)
        assert pid is not None, service.children()
        os.kill(pid, signal.SIGKILL)
        killed_at = time.monotonic()
        assert wait_until(
            lambda: any(at > killed_at + 0.2 for at in load.successes_at)
            and service.operations("/readyz").status == 200, timeout=15), service.log()
        assert wait_until(lambda: victim_pid(service, name) not in (None, pid), timeout=10)
        at = time.monotonic()
        assert wait_until(lambda: sum(s > at for s in load.successes_at) > 20, timeout=20)

    for answer in load.problems:
        assert answer.status in (500, 503), answer
    recorded = dict(service.query(
        "SELECT execution_id, idx FROM records WHERE kind = 'execution_finished'"))
    for document in load.answered:
        assert recorded.get(document["id"]) == document["record"]["index"]
    # Every accepted one is settled, whoever died meanwhile. It is refused if the warden was gone
    # once its acceptance was on the disk.
    settled = ("SELECT execution_id FROM records"
               " WHERE kind IN ('execution_finished', 'execution_refused')")
    assert wait_until(lambda: service.query(
        "SELECT execution_id FROM records WHERE kind = 'execution_accepted'"
        f" EXCEPT {settled}") == [], timeout=10)
    unanswered = set(recorded) - {document["id"] for document in load.answered}
    statuses = {row[0] for name in unanswered for row in service.query(
        "SELECT status FROM executions WHERE id = ?", name)}
    assert statuses <= {"internal_error", "cancelled", "succeeded"}, statuses


def stolen_channels(pid):
    """Our copies of the channels to the neighbours of a process, as its thief would hold them."""
    pidfd, found = os.pidfd_open(pid), []
    for number in os.listdir(f"/proc/{pid}/fd"):
        fd = ctypes.CDLL(None).syscall(438, pidfd, int(number), 0)  # pidfd_getfd(2)
        if fd < 0:  # the warden opens and closes all the time
            continue
        if number in ("0", "1", "2", "3") or not stat.S_ISSOCK(os.fstat(fd).st_mode):
            os.close(fd)
            continue
        channel = socket.socket(fileno=fd)
        if channel.family == socket.AF_UNIX and channel.type == socket.SOCK_SEQPACKET:
            found.append(channel)
        else:
            channel.close()
    os.close(pidfd)
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="borrowing another process's channel needs root")
@pytest.mark.parametrize("name", ["casemate-front", "casemate-gate", "casemate-validator",
                                  "casemate-warden"])
def test_a_process_that_breaks_the_protocol_is_replaced(own_service, name):
    """Its neighbour drops it, and both live on: nobody would connect them again."""
    service = own_service()
    service.client().run("print(1)")
    ledger = victim_pid(service, "casemate-ledger")
    pid = victim_pid(service, name)
    channels = stolen_channels(pid)
    assert channels
    for channel in channels:
        # Among the warden's are those of workers, which may be gone by now.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            channel.send(struct.pack("<HHIQ", 9999, 0, 0, 0))
        channel.close()
    assert wait_until(lambda: victim_pid(service, name) not in (None, pid), timeout=2), service.log()

    def serves():
        with contextlib.suppress(Exception):
            return service.client().run("print('back')")["stdout"] == "back\n"

    assert wait_until(serves, timeout=4), service.log()
    assert victim_pid(service, "casemate-ledger") == ledger
    assert service.stop() == 0, service.log()


def test_nothing_is_left_after_a_clean_stop(own_service):
    before = mounts()
    service = own_service()
    if os.geteuid() == 0 and service.user == "root":
        assert cgroups(service)
    service.client().run("print(1)")
    assert service.stop() == 0, service.log()
    assert wait_until(lambda: processes_of(service.folder) == [])
    assert cgroups(service) == set() and mounts() == before
    assert not (service.state / "listening").exists()


def test_nothing_runs_after_the_supervisor_is_killed(own_service):
    before = mounts()
    service = own_service()
    client = service.client()
    threading.Thread(target=swallow, daemon=True, args=(
        lambda: client.run("import time; time.sleep(20)"),)).start()
    assert wait_until(lambda: service.query(
        "SELECT count(*) FROM records WHERE kind = 'execution_accepted'")[0][0] > 0)
    os.kill(service.process.pid, signal.SIGKILL)
    service.process.wait()
    service.process = None
    assert wait_until(lambda: processes_of(service.folder) == [], timeout=5), [
        (pid, Path(f"/proc/{pid}/comm").read_text()) for pid in processes_of(service.folder)]
    assert mounts() == before

    service.start()
    assert service.client().run("print('again')")["stdout"] == "again\n"
    assert service.query("SELECT status FROM executions WHERE status = 'internal_error'")


def swallow(call):
    with contextlib.suppress(Exception):
        call()


def test_sigterm_drains(own_service):
    service = own_service()
    client, results = service.client(), []
    runner = threading.Thread(target=lambda: results.append(
        client.run("import time; time.sleep(1.5); print('done')")))
    runner.start()
    assert wait_until(lambda: service.query(
        "SELECT count(*) FROM records WHERE kind = 'execution_accepted'")[0][0] > 0)
    process = service.process
    process.send_signal(signal.SIGTERM)
    assert wait_until(lambda: service.operations("/readyz").status == 503, timeout=1)
    runner.join()
    assert results and results[0]["stdout"] == "done\n"
    assert process.wait(10) == 0, service.log()


def test_a_ledger_that_dies_in_a_drain_comes_back_and_settles(own_service):
    """The caller is answered, and what was under way is settled before the service has ended."""
    service = own_service({"drain_timeout_ms": 20000})
    client, answers = service.client(), []
    runner = threading.Thread(target=lambda: answers.append(client.post(
        {"language": "python", "code": "import time; time.sleep(60)"})))
    runner.start()
    assert wait_until(lambda: service.query(
        "SELECT count(*) FROM records WHERE kind = 'execution_accepted'")[0][0] > 0)
    process, ledger = service.process, victim_pid(service, "casemate-ledger")
    process.send_signal(signal.SIGTERM)
    assert wait_until(lambda: service.operations("/readyz").status == 503, timeout=5)
    os.kill(ledger, signal.SIGKILL)
    runner.join()
    assert answers[0].status == 503 and "may have run" in answers[0].json["hint"]
    assert process.wait(15) == 0, service.log()
    kinds = [row[0] for row in service.query(
        "SELECT kind FROM records WHERE execution_id <> '' ORDER BY idx")]
    assert kinds == ["execution_accepted", "execution_finished"]
    assert service.query("SELECT status FROM executions") == [("internal_error",)]
    assert service.query("SELECT kind FROM records ORDER BY idx DESC LIMIT 1") == [
        ("service_stopped",)]


def test_drain_has_a_deadline(own_service):
    service = own_service({"drain_timeout_ms": 700})
    client, answers = service.client(), []

    def call():
        with contextlib.suppress(OSError, http.client.HTTPException):
            answers.append(client.post(
                {"language": "python", "code": "import time; time.sleep(60)"}))

    runner = threading.Thread(target=call)
    runner.start()
    assert wait_until(lambda: service.query(
        "SELECT count(*) FROM records WHERE kind = 'execution_accepted'")[0][0] > 0)
    assert service.stop(timeout=10) == 0, service.log()
    runner.join()
    statuses = service.query("SELECT status FROM executions")
    assert statuses and statuses[0][0] in ("cancelled", "internal_error")


def test_caller_who_leaves_cancels_his_job(own_service):
    service = own_service()
    client = service.client()
    connection = http.client.HTTPSConnection(
        "localhost", service.port, context=client.context, timeout=10)
    connection.request("POST", "/v1/executions",
                       '{"language":"python","code":"import time; time.sleep(30)"}',
                       {"Content-Type": "application/json"})
    assert wait_until(lambda: service.query(
        "SELECT count(*) FROM records WHERE kind = 'execution_accepted'")[0][0] > 0)
    connection.sock.close()
    connection.close()
    assert wait_until(lambda: service.query("SELECT status FROM executions") == [("cancelled",)],
                      timeout=5), service.log()


def own_processes(service):
    """Without workers, which come and go."""
    return {name: pids for name, pids in service.children().items()
            if name in {victim[:15] for victim in VICTIMS} - {"casemate-python", "casemate-cell"}}


def test_sighup_reloads_without_dropping_a_connection(own_service):
    service = own_service()
    old = service.client()
    assert old.run("print(1)")["stdout"] == "1\n"
    service.tool("certs", "issue", "fresh", "--uri",
                 "spiffe://casemate.local/client/fresh", "--pki", service.pki)
    assert service.client("fresh").post({"language": "python", "code": "1"}).status == 403
    service.config["principals"].append(
        {"spiffe": "spiffe://casemate.local/client/fresh", "tenant": "dev",
         "roles": ["executor"], "policy": "default"})
    service.write_config()
    before = own_processes(service)
    service.process.send_signal(signal.SIGHUP)
    assert wait_until(
        lambda: service.client("fresh").post({"language": "python", "code": "1"}).status == 200)
    assert old.connection is not None and old.run("print(2)")["stdout"] == "2\n"
    assert own_processes(service) == before


def test_a_bad_configuration_is_refused_and_the_old_one_stays(own_service):
    service = own_service()
    service.config["poool"] = {}
    service.write_config()
    service.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: "/poool" in service.log())
    assert service.client().run("print(1)")["stdout"] == "1\n"


def reload_is_refused(isolation, word):
    """A minimum that this host does not have: the old one stays, and its workers go on."""
    with Service(user="ordinary", config={"pool": {"workers_max": 2}, "runtimes": {
            "python": {"pool_low": 1, "pool_high": 1, "preload": []}}}) as service:
        client = service.client()
        service.write_config({"isolation": isolation})
        service.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: any(
            "event=reload_refused" in line and word in line
            for line in service.log().splitlines())), service.log()
        assert "event=reloaded config" not in service.log()
        for _ in range(3):
            assert client.run("print(1)")["stdout"] == "1\n"


def test_a_landlock_abi_that_the_kernel_does_not_have_is_refused_by_a_reload():
    reload_is_refused({"landlock_abi_min": 64}, "isolation.landlock_abi_min")


def test_layers_that_no_worker_has_are_refused_by_a_reload():
    reload_is_refused({"layers_required": ["seccomp", "own_uid"]}, "own_uid")


def test_full_disk_refuses_and_recovers():
    """Needs a file system of its own that can be filled, so it mounts a small tmpfs."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root; run once as root")
    with Service().on_small_disk("12m") as service:
        disk = service.state
        client = service.client()
        assert client.run("print(1)")["stdout"] == "1\n"
        ballast = disk / "ballast"
        with contextlib.suppress(OSError), open(ballast, "wb") as file:
            while True:
                file.write(b"x" * 4096)
        marker = "import time; print(time.time())"
        refused = []

        def refuses():
            answer = client.post({"language": "python", "code": marker})
            refused.append(answer)
            # What the log has room for once its pages are in the database is recorded again.
            return answer.status == 503 and service.operations("/readyz").status == 503

        assert wait_until(refuses, timeout=60)
        assert refused[-1].json["code"] == "not_recorded"
        assert int(refused[-1].headers["retry-after"]) >= 1
        ballast.unlink()
        assert wait_until(lambda: service.operations("/readyz").status == 200, timeout=20)
        assert client.run("print(2)")["stdout"] == "2\n"
        answered = [answer.json["id"] for answer in refused if answer.status == 200]
        recorded = {row[0] for row in service.query(
            "SELECT execution_id FROM records WHERE kind = 'execution_finished'")}
        assert set(answered) <= recorded
        assert service.tool("migrate", str(disk / "audit.db"), check=False) is not None
