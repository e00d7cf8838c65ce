"""`make run` as a person sees it: one command, a line to paste, a clean end."""

import os
import re
import signal
import subprocess
import time

import pytest
from service import ROOT, wait_until


def processes_naming(text):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    if text.encode() in file.read():
                        found.append(int(entry))
            except OSError:
                pass
    return found


class Run:
    def __init__(self, var, port="0"):
        self.var, self.output = var, var.parent / f"{var.name}.out"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                ["make", "--no-print-directory", "run", f"VAR={var}", f"PORT={port}"],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True)

    def text(self):
        return self.output.read_text(errors="replace")

    def wait(self):
        assert wait_until(lambda: "Stop it with Ctrl-C" in self.text()
                          or self.process.poll() is not None, timeout=300), self.text()
        assert self.process.poll() is None, self.text()

    def supervisors(self):
        return processes_naming(f"{self.var}/casemate.json")

    def stop(self, how, sig):
        if how == "group":
            os.killpg(self.process.pid, sig)
        else:
            for pid in self.supervisors():
                os.kill(pid, sig)
        return self.process.wait(30)


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    for pid in processes_naming(str(tmp_path)):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("name", ["var", "it's a \"strange\" vär & co"])
def test_the_printed_line_runs_and_the_end_is_clean(folder, name):
    run = Run(folder / name)
    run.wait()
    text = run.text()
    line = next(line for line in text.splitlines() if line.startswith("curl "))
    assert '"status":"succeeded"' in text

    answer = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
    assert '"stdout":"Hello from CPython\\n"' in answer.stdout, answer
    url = (run.var / "listening").read_text()
    assert re.fullmatch(r"https://localhost:\d+\n", url)
    for file in ["ca.crt", "server.crt", "server.key", "client.crt", "client.key"]:
        assert (run.var / "pki" / file).is_file()
    assert (run.var / "audit.db").is_file()

    run.stop("group", signal.SIGTERM)
    assert wait_until(lambda: run.supervisors() == [], timeout=5)
    assert "event=stopped exit_code=0" in run.text()
    assert not (run.var / "listening").exists()


def test_an_interrupt_ends_it_and_the_second_start_reuses_everything(folder):
    run = Run(folder / "var")
    run.wait()
    key = (run.var / "pki" / "client.key").read_bytes()
    run.stop("group", signal.SIGINT)
    assert "event=stopped exit_code=0" in run.text()

    again = Run(folder / "var")
    again.wait()
    assert (again.var / "pki" / "client.key").read_bytes() == key
    assert again.stop("service", signal.SIGTERM) == 0, again.text()


def test_a_busy_port_is_named_with_a_remedy(folder):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = Run(folder / "var", str(port))
        assert run.process.wait(300) != 0
    assert f"port {port}: Address already in use" in run.text()
    assert "choose another port" in run.text()


def test_two_services_never_share_a_state_folder(folder):
    run = Run(folder / "var")
    run.wait()
    second = Run(folder / "var")
    assert second.process.wait(300) != 0
    assert "uses this state directory" in second.text()
    assert (run.var / "listening").exists()
    time.sleep(0.1)
    assert run.process.poll() is None
    run.stop("group", signal.SIGTERM)
