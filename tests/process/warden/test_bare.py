"""Workers without cells (level landlock): their folders, and what they may do without groups.

The jobs of test_jobs.py run at this level too; the probes are in tests/redteam.
"""

import contextlib
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest
from warden_service import (IS_ROOT, LAYERS, ROOT, Warden, bash_message, runtime_message, stopped,
                            threads_of)

TEST_WARDEN = ROOT / "build" / "test" / "libexec" / "casemate" / "casemate-warden"
NEEDS_TEST_BUILD = pytest.mark.skipif(not TEST_WARDEN.exists(),
                                      reason="build it with `make VARIANT=test all`")


def bits(*names):
    return sum(1 << LAYERS.index(name) for name in names)


@pytest.fixture
def workspaces():
    """Not pytest's own, above which each session that begins closes a folder to other users."""
    path = Path(tempfile.mkdtemp(prefix="casemate-bare-"))
    path.chmod(0o755)
    yield path

    def is_removed():  # a warden that ends removes its own meanwhile
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)
        return not path.exists()

    wait_until(is_removed)


@pytest.fixture
def bare(workspaces):
    """Makes wardens of this level, with their workspaces in a folder of the test's own."""
    made = []

    def make(**options):
        made.append(Warden(level="landlock", workspaces=workspaces, **options))
        return made[-1]

    yield make
    for warden in made:
        warden.close()


def wait_until(condition, timeout=10):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_there_is_no_cell_maker_and_each_worker_has_its_folder(bare, workspaces):
    warden = bare(instance="own").wait_ready()
    done = warden.run("import os; print(os.getcwd(), os.getppid())")
    folder, parent = done.stdout.decode().split()

    assert Path(folder).parent.parent == workspaces / f"own-{warden.process.pid}"
    assert int(parent) == warden.process.pid
    assert "casemate-cell" not in warden.children().values()
    assert "cell-init" not in warden.children().values()
    warden.close()
    wait_until(lambda: list(workspaces.iterdir()) == [])


def test_what_a_dead_warden_left_is_removed_by_the_next(bare, workspaces):
    left = workspaces / "again-4000000" / "w0" / "files"
    left.mkdir(parents=True)
    (left / "secret").write_text("x")
    if IS_ROOT:
        os.chown(workspaces / "again-4000000", 1900100000, 1900100000)
    foreign = workspaces / "again-4000001"
    foreign.symlink_to("/usr")
    bare(instance="again").wait_ready()

    assert not (workspaces / "again-4000000").exists()
    assert foreign.is_symlink() and Path("/usr/bin").is_dir()


@pytest.mark.may_skip
@pytest.mark.skipif(not IS_ROOT, reason="only root may stop a thread of the warden")
def test_what_a_job_leaves_holds_up_only_its_place(bare, workspaces):
    """Counting and removing thousands of folders takes as long as the disk likes; here it takes
    until the test lets it go on."""
    warden = bare(instance="slow", workers=2, low=2, high=2).wait_ready()
    warden.wait_pool(lambda pool: pool["ready"] == 2)
    asides = threads_of(warden.process, "aside")
    assert len(asides) == 2

    with stopped(asides):
        done = warden.run("import time; open('x', 'w').close(); time.sleep(60)", wall_ms=500)
        assert (done.status, [name for name, _, _ in done.files]) == ("timed_out", ["x"])
        assert warden.run("print(1)").stdout == b"1\n"
        assert len(list(workspaces.glob("*/w*"))) == 2
        third = warden.start("import os; print(os.listdir())")

    assert warden.wait(third).stdout == b"[]\n"


def test_nested_and_closed_folders_are_removed(bare, workspaces):
    warden = bare(instance="nest").wait_ready()
    code = ("import os\n"
            "for n in range(300):\n"
            "    os.mkdir('d'); os.chdir('d')\n"
            "open('f', 'w').close()\n"
            "fd = os.open('.', os.O_RDONLY)\n"
            "os.fchmod(fd, 0)\n")
    done = warden.run(code)
    assert done.status in ("succeeded", "killed"), done
    wait_until(lambda: not list(workspaces.glob("*/w*/files/d")))


def test_a_workspace_that_users_cannot_reach_is_refused_by_name(bare, workspaces):
    if not IS_ROOT:
        pytest.skip("an ordinary user's workers are himself")
    workspaces.chmod(0o700)
    with pytest.raises(RuntimeError, match="isolation.workspaces"):
        bare(instance="shut").wait_ready()


def test_orphans_of_a_job_are_gone_before_its_files_are_read(bare):
    warden = bare(instance="orphan").wait_ready()
    code = ("import os, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork() == 0:\n"
            "        while True:\n"
            "            with open('late', 'a') as f: f.write('x')\n"
            "    os._exit(0)\n"
            "time.sleep(0.1)\n"
            "os._exit(3)\n")
    done = warden.run(code)

    if "cgroup_pids" not in done.layers:
        assert done.status == "failed" and b"PermissionError" in done.stderr, done
        return
    assert (done.status, done.exit_code) == ("failed", 3), done
    assert [name for name, _, _ in done.files] == ["late"]
    workers = {pid for pid, name in warden.children().items() if name == "casemate-python"}
    assert all(Path(f"/proc/{pid}/cwd").resolve() != "late" for pid in workers)
    assert warden.run("print(1)").stdout == b"1\n"


@NEEDS_TEST_BUILD
def test_without_groups_a_job_has_threads_and_no_processes(bare):
    groups = bits("cgroup_memory", "cgroup_pids", "cgroup_cpu")
    warden = bare(program=TEST_WARDEN, disabled=groups).wait_ready()
    refused = ("import os, subprocess\n"
               "for attempt in (os.fork, lambda: subprocess.run(['true']),\n"
               "                lambda: os.execv('/bin/true', ['true'])):\n"
               "    try: attempt(); print('started')\n"
               "    except PermissionError: print('refused')\n")
    threads = ("import threading\n"
               "seen = []\n"
               "some = [threading.Thread(target=seen.append, args=(n,)) for n in range(8)]\n"
               "for one in some: one.start()\n"
               "for one in some: one.join()\n"
               "print(len(seen))\n")

    assert warden.run(refused).stdout == b"refused\n" * 3
    assert warden.run(threads).stdout == b"8\n"
    assert warden.run("x = bytearray(1 << 32)").status == "memory_exceeded"


@NEEDS_TEST_BUILD
def test_without_landlock_a_worker_of_the_same_user_signals_only_itself(bare):
    """As before ABI 6, where Landlock does not keep signals in."""
    warden = bare(program=TEST_WARDEN, disabled=bits("landlock", "own_uid")).wait_ready()
    code = ("import os, signal\n"
            "for pid in (os.getppid(), -1, 0, 1):\n"
            "    try: os.kill(pid, 0); print('signalled', pid)\n"
            "    except PermissionError: print('refused')\n"
            "signal.signal(signal.SIGUSR1, lambda *_: print('own'))\n"
            "os.kill(os.getpid(), signal.SIGUSR1)\n"
            "signal.raise_signal(signal.SIGUSR1)\n")

    assert warden.run(code).stdout == b"refused\n" * 4 + b"own\n" * 2
    assert warden.run("import os; os.abort()").signal == signal.SIGABRT


def test_the_main_thread_knows_its_number(bare):
    code = ("import threading\n"
            "print(threading.main_thread().native_id == threading.get_native_id())")

    assert bare(preload="threading").wait_ready().run(code).stdout == b"True\n"


@NEEDS_TEST_BUILD
@pytest.mark.parametrize("named", [False, True])
def test_without_groups_a_runtime_that_starts_programs_is_left_out(bare, named):
    bash = bash_message(named=named)
    warden = bare(program=TEST_WARDEN, disabled=bits("cgroup_memory", "cgroup_pids", "cgroup_cpu"),
                  runtimes=[bash, runtime_message()])
    if named:
        with pytest.raises(RuntimeError, match="runtime bash: it starts programs"):
            warden.wait_ready()
        return
    warden.wait_ready()
    while warden.runtime is None or warden.runtime["name"] != "bash":
        warden.take(10)

    assert "control group" in warden.runtime["missing"]
    assert warden.run("print(1)").stdout == b"1\n"


@pytest.mark.parametrize("code, stdout", [("echo $((6 * 7)) | cat; ls -A", b"42\n"),
                                          ("cd \"$HOME\"; touch a; [ -e \"$TMPDIR\"/main.sh ]", b"")])
def test_bash_runs_in_its_folder(bare, code, stdout):
    if "cgroup_pids" not in bare(instance="look").wait_ready().run("").layers:
        pytest.skip("without a group of processes this level has no bash, as another test shows")
    done = bare(instance="bash", runtimes=[bash_message()]).wait_ready().run(code, runtime="bash")

    assert (done.status, done.stdout) == ("succeeded", stdout), done
