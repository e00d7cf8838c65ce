"""What programs see inside a worker, compared with what python3 would do."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

HUMANEVAL = os.environ.get("HUMANEVAL", "")


def report(done):
    return json.loads(done.report) if done.report else {"error": None, "result": None}


# --- ends and errors ------------------------------------------------------------------------

# Programs whose streams and exit code must be those of `python3 main.py`.
SAME_AS_PYTHON = {
    "nothing": "",
    "print": "print('hello', 1, 2.5)\n",
    "unicode": "print('\\u00e9\\u20ac\\U0001f600')\n",
    "surrogate": "print('\\udc80', '\\udcff')\n",
    "uncaught": "def f(x):\n    return 1 / x\n\n\nfor i in (1, 0):\n    print(f(i))\n",
    "chained": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e\n",
    "note": "e = ValueError('x')\ne.add_note('look here')\nraise e\n",
    "group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])\n",
    "recursion": "def r(n):\n    return r(n + 1)\n\n\nr(0)\n",
    "own exception": "class Trouble(Exception):\n    pass\n\n\nraise Trouble('x', 1)\n",
    "syntax": "x = 1\nif x\n    y\n",
    "tab": "if True:\n\tx = 1\n        y = 2\n",
    "nul": "x = '\\0'\nraise ValueError(x)\n",
    "exit 3": "import sys\nsys.exit(3)\n",
    "exit none": "raise SystemExit\n",
    "exit text": "import sys\nsys.exit('goodbye')\n",
    "exit 256": "import sys\nsys.exit(256)\n",
    "exit -1": "import sys\nsys.exit(-1)\n",
    "exit()": "exit(4)\n",
    "exit in function": "def f():\n    raise SystemExit(6)\n\n\nf()\n",
    "assert": "assert 1 == 2, 'sums'\n",
    "warning": "import warnings\nwarnings.warn('careful')\n",
    "excepthook": "import sys\nsys.excepthook = lambda t, v, b: print('hook', v)\nraise OSError(1)\n",
    "bad str": ("class E(Exception):\n    def __str__(self):\n        raise TypeError\n\n\n"
                "raise E\n"),
    "times": "import os\nt = os.times()\nprint(t.__class__, len(t), t.user >= 0, t.elapsed > 0)\n",
    "atexit": "import atexit\natexit.register(print, 'bye')\nprint('hi')\n",
    "atexit after error": "import atexit\natexit.register(print, 'bye')\nraise OSError('x')\n",
    "del": "class D:\n    def __del__(self):\n        print('del')\n\n\nd = D()\n",
    "del in a cycle": ("import gc\ngc.disable()\n\n\nclass D:\n    def __del__(self):\n"
                       "        print('del')\n\n\nd = D()\nd.me = d\ndel d\n"),
    "log at exit": ("import logging.handlers, sys\nto = logging.StreamHandler(sys.stdout)\n"
                    "logging.getLogger().addHandler(logging.handlers.MemoryHandler(9, 99, to))\n"
                    "logging.warning('kept')\n"),
    "thread pool at exit": ("from concurrent.futures import ThreadPoolExecutor\nimport time\n"
                            "e = ThreadPoolExecutor()\n"
                            "e.submit(lambda: (time.sleep(0.05), print('ran')))\n"),
    "lying class": ("class L:\n    @property\n    def __class__(self):\n"
                    "        print('asked')\n        return int\n\n\nx = L()\n"),
    "thread": ("import threading, time\n\n\ndef f():\n    time.sleep(0.05)\n    print('thread')\n"
               "\n\nthreading.Thread(target=f).start()\nprint('main')\n"),
    "stderr": "import sys\nprint('a')\nprint('b', file=sys.stderr)\n",
    "argv": "import sys\nprint(sys.argv)\n",
    "main": "print(__name__, __doc__, __package__, __spec__)\n",
    "docstring": "'doc'\nx = 1\nprint(__doc__)\n",
    "future": ("from __future__ import annotations\n\n\ndef f(x: undefined): ...\n\n\n"
               "print(f.__annotations__)\n"),
    "frame": "import sys\nprint(sys._getframe().f_back, sys._getframe().f_lineno)\n",
    "stack": "import traceback\n\n\ndef f():\n    traceback.print_stack()\n\n\nf()\n",
    "input": "print(repr(input()))\nprint(input())\n",
    "stdin": "import sys\nprint(sys.stdin.read().split())\n",
    "pickle": ("import pickle\n\n\nclass A:\n    x = 1\n\n\n"
               "print(pickle.loads(pickle.dumps(A())).x)\n"),
    "dataclass": ("from dataclasses import dataclass\n\n\n@dataclass\nclass P:\n    x: int\n\n\n"
                  "print(P(1))\n"),
    "fork": ("import os\npid = os.fork()\nif pid:\n    os.waitpid(pid, 0)\n"
             "print('parent' if pid else 'child')\n"),
    "fork in thread": ("import os, threading\n\n\ndef f():\n    if not os.fork():\n"
                       "        main = threading.main_thread() is threading.current_thread()\n"
                       "        print(main, threading.active_count(), flush=True)\n"
                       "        os._exit(0)\n    os.wait()\n\n\n"
                       "t = threading.Thread(target=f)\nt.start()\nt.join()\n"),
    "fork and random": ("import os, random\nif not os.fork():\n"
                        "    open('child', 'w').write(str(random.random()))\n    os._exit(0)\n"
                        "os.wait()\nprint(str(random.random()) != open('child').read())\n"
                        "os.remove('child')\n"),
    # What the library wants done around a job's forks.
    # Without 3.13's warning of a fork beside threads: whether it comes before the child's is chance.
    "fork and a log lock": ("import logging, os, threading, warnings\n"
                            "warnings.simplefilter('ignore')\nheld = threading.Event()\n"
                            "h = logging.StreamHandler()\nlogging.getLogger().addHandler(h)\n\n\n"
                            "def f():\n    h.acquire()\n    held.set()\n    over.wait()\n"
                            "    h.release()\n\n\nover = threading.Event()\n"
                            "t = threading.Thread(target=f)\nt.start()\nheld.wait()\n"
                            "if not os.fork():\n    logging.warning('child')\n    os._exit(0)\n"
                            "os.wait()\nover.set()\nt.join()\nprint('end')\n"),
    "fork and hooks": ("import os\nseen = []\nfor i in 1, 2:\n    os.register_at_fork(\n"
                       "        before=lambda i=i: print('before', i, flush=True),\n"
                       "        after_in_parent=lambda i=i: seen.append(i),\n"
                       "        after_in_child=lambda i=i: print('child', i, flush=True))\n"
                       "if not os.fork():\n    os._exit(0)\nos.wait()\nprint(seen)\n"),
    # What ends with a job beside its globals.
    "at exit a thread": ("import atexit, threading\n\n\ndef f():\n"
                         "    t = threading.Thread(target=print, args=('thread',))\n"
                         "    t.start()\n    t.join()\n\n\natexit.register(f)\n"),
    "log handler at exit": ("import atexit, logging.handlers, sys\n\n\ndef f():\n"
                            "    to = logging.StreamHandler(sys.stdout)\n    logging.getLogger()"
                            ".addHandler(logging.handlers.MemoryHandler(9, 99, to))\n"
                            "    logging.warning('kept')\n\n\natexit.register(f)\n"),
    "module with an end": ("import sys, types\n\n\nclass D:\n    def __del__(self):\n"
                           "        print('del')\n\n\nm = types.ModuleType('m')\nm.d = D()\n"
                           "sys.modules['m'] = m\ndel m, D\n"),
    "module for another": ("import sys, types\n\n\nclass D:\n    def __del__(self):\n"
                           "        print('del')\n\n\nm = types.ModuleType('m')\nm.d = D()\n"
                           "del sys.modules['io']\nsys.modules['m'] = m\ndel m, D\n"),
    "closed stdout": "import sys\nprint('a')\nsys.stdout.close()\n",
    "no stdout": "import sys\nprint('a')\nsys.stdout = None\n",
    "signal": "import os\nos.kill(os.getpid(), 15)\n",
    "abort": "import os\nos.abort()\n",
    "interrupt": "raise KeyboardInterrupt\n",
}


def without_pid(text):
    return re.sub(rb"\(pid=\d+\)", b"(pid)", text)


@pytest.mark.parametrize("name", SAME_AS_PYTHON)
def test_ends_as_python_does(warden, name, tmp_path):
    code = SAME_AS_PYTHON[name]
    (tmp_path / "main.py").write_text(code)
    environment = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1"}
    want = subprocess.run(["/usr/bin/python3", "main.py"], cwd=tmp_path, input=b"one\ntwo\n",
                          capture_output=True, env=environment, timeout=20)

    done = warden.run(code, stdin=b"one\ntwo\n")

    # python3 shows the file's absolute path, the worker its name only.
    stderr = want.stderr.replace(f"{tmp_path}/main.py".encode(), b"main.py")
    assert done.stdout == want.stdout
    # From 3.12 on a warning tells the process's number.
    assert without_pid(done.stderr) == without_pid(stderr)
    if want.returncode < 0:
        assert done.signal == -want.returncode
    else:
        assert done.exit_code == want.returncode


def test_errors_name_the_callers_own_lines(warden):
    error = report(warden.run("def f():\n    return {}['k']\n\n\nf()\n"))["error"]

    assert (error["name"], error["message"]) == ("KeyError", "'k'")
    assert 'File "main.py", line 5, in <module>' in error["traceback"]
    assert 'File "main.py", line 2, in f' in error["traceback"]
    assert "casemate" not in error["traceback"]


def test_what_was_printed_before_a_sudden_end_is_kept(warden):
    done = warden.run("import os\nprint('kept')\nos._exit(5)\n")

    assert (done.exit_code, done.stdout) == (5, b"kept\n")


def test_an_error_in_the_last_line_names_its_line(warden):
    error = report(warden.run("x = 0\n\n# here\n1 / x"))["error"]

    assert 'File "main.py", line 4, in <module>\n    1 / x' in error["traceback"]


def test_an_indentation_error_names_its_line(warden):
    error = report(warden.run("x = 1\ndef f():\nreturn 1\n"))["error"]

    assert error["name"] == "IndentationError" and "line 3" in error["message"]


def test_hostile_text_comes_out_as_valid_json(warden):
    error = report(warden.run("raise ValueError('\\udc80\\0' + '\\x01' * 100000)"))["error"]

    assert error["message"].startswith("\\udc80\\x00")


def test_a_thread_error_shows_its_source(warden):
    code = ("import threading\n\n\ndef f():\n    raise OSError('inside')\n\n\n"
            "threading.Thread(target=f).start()\n")

    assert b"raise OSError('inside')" in warden.run(code).stderr


# --- results ----------------------------------------------------------------------------------

RESULTS = {
    "1 + 1": "2",
    "x = 5\nx * 2": "10",
    "'a'": "'a'",
    "None": None,
    "x = 1": None,
    "print(1)": None,
    "import math\nmath.pi": "3.141592653589793",
    "for i in range(3):\n    i": None,
    "1; 2": "2",
    "1;": "1",
    "x = (3,\n4)\nx[\n0\n]": "3",
    "\'\'\'a\n5\n\'\'\'\n": "'a\\n5\\n'",
    "x = \'\'\'a\n5\'\'\'": None,
    "x = \'\'\'\n5\n\'\'\'\n": None,
    "x = 1 + \\\n2": None,
    "x = [\n5\n]": None,
    "if True:\n    x = 6\nx\n\n   \n  # done": "6",
    "'doc'": "'doc'",
    "\n\n\n7": "7",
    "x = 1\r\nx\r\n": "1",
    "from __future__ import annotations\ndef f(x: no): ...\nf.__annotations__": "{'x': 'no'}",
    "f = lambda g: 8\n@f\ndef g(): ...": None,
    "[i for i in range(3)]\n# done": "[0, 1, 2]",
    "import asyncio\nawait asyncio.sleep(0, 'later')": "'later'",
    "import asyncio\nx = await asyncio.sleep(0, 3)\nx": "3",
    "async def f():\n    return 1\nimport asyncio\nasyncio.run(f())": "1",
}


@pytest.mark.parametrize("code", RESULTS)
def test_the_last_expression_is_the_result(warden, code):
    done = warden.run(code)

    assert done.status == "succeeded", done
    assert report(done)["result"] == RESULTS[code]


def test_a_long_result_is_cut(warden):
    result = report(warden.run("'\\u20ac' * 1000000"))["result"]

    assert 10000 < len(result) <= 16384 and result.endswith("\u2026")


def test_a_failing_repr_is_the_jobs_error(warden):
    done = warden.run("class A:\n    def __repr__(self):\n        raise KeyError('r')\nA()")

    assert (done.status, report(done)["error"]["name"]) == ("failed", "KeyError")


def test_an_endless_repr_runs_into_the_limit(warden):
    done = warden.run("class A:\n    def __repr__(self):\n        while True: pass\nA()",
                      wall_ms=300)

    assert done.status == "timed_out"


def test_out_of_memory_says_so(warden):
    assert warden.run("x = []\nwhile True:\n    x.append(bytes(1 << 20))").status == \
        "memory_exceeded"


# --- what must work without /proc ---------------------------------------------------------------

WORKS = {
    "subprocess": ("import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', "
                   "'print(7)'], capture_output=True, text=True).stdout.strip())", "7"),
    "shell": ("import subprocess\nprint(subprocess.check_output('echo a | wc -c', shell=True,"
              " text=True).strip())", "2"),
    "threads": ("import threading\nlock = threading.RLock()\nseen = []\n\n\ndef f(i):\n"
                "    with lock:\n        seen.append(i)\n\n\nts = [threading.Thread(target=f, "
                "args=(i,)) for i in range(20)]\n[t.start() for t in ts]\n"
                "[t.join() for t in ts]\nprint(len(seen))", "20"),
    "thread pool": ("from concurrent.futures import ThreadPoolExecutor\n"
                    "with ThreadPoolExecutor(2) as e:\n    print(list(e.map(abs, [-1, -2])))",
                    "[1, 2]"),
    "process pool": ("import multiprocessing\nif __name__ == '__main__':\n"
                     "    with multiprocessing.Pool(2) as p:\n"
                     "        print(p.map(abs, [-1, -2]))", "[1, 2]"),
    "queue": ("import multiprocessing as m\nq = m.Queue()\n\n\ndef f(q):\n    q.put(5)\n\n\n"
              "p = m.Process(target=f, args=(q,))\np.start()\nprint(q.get())\np.join()", "5"),
    "asyncio process": ("import asyncio\n\n\nasync def main():\n    p = await asyncio."
                        "create_subprocess_exec('echo', 'x', stdout=-1)\n    "
                        "print((await p.communicate())[0])\n\n\nasyncio.run(main())", "b'x\\n'"),
    "tempfile": ("import tempfile\nwith tempfile.TemporaryFile() as f:\n    f.write(b'abc')\n"
                 "    print(f.tell(), tempfile.gettempdir())", "3 /tmp"),
    "sqlite": ("import sqlite3\nc = sqlite3.connect('a.db')\nc.execute('create table t(a)')\n"
               "c.execute('insert into t values(1)')\nc.commit()\n"
               "print(c.execute('select * from t').fetchall())", "[(1,)]"),
    "daemon thread": ("import math, threading, time\n\n\ndef f():\n    while True:\n"
                      "        time.sleep(0.0001)\n        math.pi\n\n\n"
                      "threading.Thread(target=f, daemon=True).start()\nprint('end')", "end"),
    "own module": ("import helper\nprint(helper.x)", "41"),
    "thread number": ("import threading\nprint(threading.main_thread().native_id == "
                      "threading.get_native_id())", "True"),
    "zone": ("import datetime, zoneinfo\nprint(datetime.datetime(2026, 1, 1, tzinfo="
             "zoneinfo.ZoneInfo('Europe/Paris')).utcoffset())", "1:00:00"),
    "environment": ("import os\nprint(os.environ['HOME'], os.getcwd(), os.environ['X'])",
                    "/workspace /workspace y"),
}


@pytest.mark.parametrize("name", WORKS)
def test_works(warden, name):
    code, want = WORKS[name]
    done = warden.run(code, files=[("helper.py", b"x = 41\n")], env=[("X", "y")])

    assert done.status == "succeeded", done
    assert (done.stdout.decode().strip(), done.stderr) == (want, b"")


@pytest.mark.parametrize("module", ["numpy", "pandas"])
def test_preloaded_libraries_work(warden, module):
    subprocess_has = subprocess.run(["/usr/bin/python3", "-c", f"import {module}"],
                                    capture_output=True).returncode == 0
    if not subprocess_has:
        pytest.skip(f"{module} is not installed")
    code = {"numpy": "import numpy as np\nint((np.eye(300) @ np.eye(300)).sum())",
            "pandas": "import pandas as pd\nint(pd.DataFrame({'a': range(100)})['a'].sum())"}

    done = warden.run(code[module])

    assert report(done)["result"] == {"numpy": "300", "pandas": "4950"}[module], done


def test_figures_are_saved(warden):
    if subprocess.run(["/usr/bin/python3", "-c", "import matplotlib"],
                      capture_output=True).returncode != 0:
        pytest.skip("matplotlib is not installed")
    done = warden.run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('a.png')\n",
                      wall_ms=60000, cpu_ms=60000, timeout=60)

    assert done.status == "succeeded", done
    assert [name for name, _, _ in done.files] == ["a.png"]


# --- leftovers ------------------------------------------------------------------------------

def test_files_left_open_are_written(warden):
    code = ("f = open('a.txt', 'w')\nf.write('kept')\n\n\nclass Holder:\n    pass\n\n\n"
            "h = Holder()\nh.me = h\nh.file = open('b.txt', 'w')\nh.file.write('kept too')\n")
    files = {name: data for name, _, data in warden.run(code).files}

    assert files == {"a.txt": b"kept", "b.txt": b"kept too"}


def test_every_worker_has_its_own_randomness(warden):
    code = ("import multiprocessing, os, random, ssl, uuid\nv = [random.random(), "
            "ssl.RAND_bytes(8), uuid.uuid4(), os.urandom(8), "
            "bytes(multiprocessing.current_process().authkey)]\n"
            "try:\n    import numpy\n    v.append(numpy.random.rand())\n"
            "except ImportError:\n    v.append(random.random())\n"
            "for x in v: print(x)")
    seen = [warden.run(code).stdout.split() for _ in range(4)]

    for values in zip(*seen):
        assert len(set(values)) == len(values), values


def test_no_descriptor_is_left_but_the_streams_and_the_channel(warden):
    code = ("import os\nopen_fds = []\nfor fd in range(1024):\n    try:\n        os.fstat(fd)\n"
            "        open_fds.append(fd)\n    except OSError:\n        pass\nprint(open_fds)\n"
            "import subprocess, sys\n"
            "print(subprocess.check_output([sys.executable, '-c', "
            "'import os\\nfor fd in range(3, 1024):\\n try: os.fstat(fd); print(fd)\\n"
            " except OSError: pass'], close_fds=False))\n")

    assert warden.run(code).stdout == b"[0, 1, 2, 63]\nb''\n"


def test_one_report_at_most_and_only_a_lie_about_itself(warden):
    code = ("import os, socket, struct\ns = socket.socket(fileno=63)\n"
            "for kind in (512, 512, 508, 1):\n"
            "    try:\n        s.send(struct.pack('<HHIQ', kind, 0, 3, 0) + b'\\0{}')\n"
            "    except OSError:\n        pass\n"
            "s.detach()\n")
    warden.run(code)

    assert warden.run("print('fine')").stdout == b"fine\n"


def test_the_zygote_does_not_grow(warden):
    zygote = warden.program("casemate-python")

    def size():
        fds = len(os.listdir(f"/proc/{zygote}/fd"))
        pages = int(Path(f"/proc/{zygote}/statm").read_text().split()[0])
        return fds, pages

    for _ in range(20):
        warden.run("1")
    before = size()
    for _ in range(200):
        warden.run("1")
    after = size()

    # A fork may be under way at either moment.
    assert after[1] == before[1] and abs(after[0] - before[0]) <= 10


@pytest.mark.may_skip
@pytest.mark.skipif(not HUMANEVAL, reason="HUMANEVAL names no file")
def test_humaneval(warden):
    failed = []
    for line in Path(HUMANEVAL).read_text().splitlines():
        task = json.loads(line)
        code = "\n".join([task["prompt"] + task["canonical_solution"], task["test"],
                          f"check({task['entry_point']})"])
        if warden.run(code).status != "succeeded":
            failed.append(task["task_id"])

    assert failed == []
