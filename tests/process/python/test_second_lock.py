"""A policy's lists, held to while the code runs: real workers that get lists with their job.

Every program that must be refused is run without lists too, where it must get what it asks for:
a probe that asks for nothing would be refused nothing.
"""

import json
from pathlib import Path

import pytest
from warden_service import Warden, bash_message, guard, runtime_message

POLICIES = Path(__file__).resolve().parents[3] / "validator" / "policies"


def policy(name):
    lists = json.loads((POLICIES / f"{name}.json").read_text())["python"]
    return {"name": name, "modules": lists.get("modules", {}),
            "functions": lists.get("functions", {})}


def denying(functions=(), modules=()):
    return guard({"name": "house", "functions": {"deny": list(functions)},
                  "modules": {"deny": list(modules)}})


STANDARD = guard(policy("standard"))
STRICT = guard(policy("strict"), policy("standard"))


def report(done):
    return json.loads(done.report) if done.report else {"error": None, "result": None}


def denied(done):
    return [(one["kind"], one["name"]) for one in report(done).get("denials", [])]


# --- modules --------------------------------------------------------------------------------------

# Names that no reading of the source finds. Each prints "got it" when nobody stops it.
HIDDEN_IMPORTS = {
    "a built name": "m = getattr(__builtins__, '__imp' + 'ort__')('cty' + 'pes')",
    "import_module": "import importlib\nm = importlib.import_module(''.join(['ct', 'ypes']))",
    "code in a string": "exec(bytes([105, 109, 112, 111, 114, 116]).decode() + ' ctypes as m')",
    "a member of its package": "exec('from ctypes import ' + 'util as m')",
    "locate": "import pydoc\nm = pydoc.locate('cty' + 'pes')",
    "resolve_name": "import pkgutil\nm = pkgutil.resolve_name('cty' + 'pes')",
    "a thread": ("import threading\nout = []\nt = threading.Thread(target=lambda: out.append("
                 "__import__('cty' + 'pes')))\nt.start()\nt.join()\nm = out[0]"),
    "a thread without a frame of ours": (
        "import concurrent.futures\nwith concurrent.futures.ThreadPoolExecutor() as pool:\n"
        "    m = pool.submit(__import__, 'cty' + 'pes').result()"),
    "a module of the workspace": "import helper\nm = helper.get('cty' + 'pes')",
    "a pickle": ("import pickle\nm = pickle.loads(b'cctyp' b'es\\nCDLL\\n.')"),
    "an attribute of a library": "import numpy\nnumpy.ctypeslib.ctypes.CDLL(None)\nm = 1",
}
HELPER = [("helper.py", b"def get(name):\n    return __import__(name)\n")]


@pytest.mark.parametrize("name", HIDDEN_IMPORTS)
def test_a_module_that_the_policy_denies_is_not_had_by_another_name(warden, name):
    code = HIDDEN_IMPORTS[name] + "\nassert m\nprint('got it')"

    held = warden.run(code, files=HELPER, lists=STANDARD)
    free = warden.run(code, files=HELPER)

    assert (free.status, free.stdout) == ("succeeded", b"got it\n"), free
    assert b"got it" not in held.stdout
    assert b"the policy standard does not allow the module 'ctypes" in held.stderr
    assert [kind for kind, _ in denied(held)] == ["module"]


def test_the_error_is_one_that_programs_expect_and_names_policy_and_entry(warden):
    code = "try:\n    import ctypes.util\nexcept ImportError as e:\n    print(e)"

    done = warden.run(code, lists=STANDARD)

    assert done.status == "succeeded"
    assert done.stdout.startswith(b"the policy standard does not allow the module 'ctypes.util' "
                                  b"(it denies 'ctypes')")
    assert report(done)["denials"][0].items() >= {
        "kind": "module", "name": "ctypes.util", "policy": "standard", "entry": "ctypes",
        "count": 1}.items()


def test_each_policy_of_the_chain_must_allow_it(warden):
    both = guard({"name": "inner", "modules": {"default": "deny", "allow": ["json", "ctypes"]}},
                 {"name": "outer", "modules": {"deny": ["ctypes"]}})

    done = warden.run("import json\nimport ctypes", lists=both)

    assert b"the policy outer does not allow the module 'ctypes'" in done.stderr
    assert b"the policy inner does not allow the module 'csv' (it is not in" in \
        warden.run("import csv", lists=both).stderr


def test_a_longer_entry_decides(warden):
    lists = guard({"name": "p", "modules": {"deny": ["xml"], "allow": ["xml.sax"]}})

    assert warden.run("import xml.sax.handler", lists=lists).status == "succeeded"
    assert warden.run("import xml.dom", lists=lists).status == "failed"


# --- functions ------------------------------------------------------------------------------------

# What is denied, and a program that gets at it by a name made at run time.
HIDDEN_CALLS = {
    "os.system": "import os\ngetattr(os, 'sys' + 'tem')('true')",
    "os.popen": "import os\ngetattr(os, 'po' + 'pen')('true').read()",
    "subprocess.run": "import subprocess\ngetattr(subprocess, 'r' + 'un')(['true'])",
    "subprocess.Popen": "import subprocess\ngetattr(subprocess, 'check_' + 'call')(['true'])",
    "asyncio.subprocess": "import asyncio\nasync def f():\n    p = await getattr(asyncio, 'create_'"
                  " + 'subprocess_exec')('true')\n    await p.wait()\nasyncio.run(f())",
    "os.fork": "import os\nif not getattr(os, 'fo' + 'rk')():\n    os._exit(0)\nos.wait()",
    "os.listdir": "import os\ngetattr(os, 'list' + 'dir')('.')",
    "builtins.open": "getattr(__builtins__, 'op' + 'en')('x', 'w').close()",
    "os.open": "import os\nos.close(getattr(os, 'op' + 'en')('.', 0))",
    "builtins.compile": "getattr(__builtins__, 'comp' + 'ile')('1', 'x', 'eval')",
    "types.CodeType": "(lambda: 0).__code__.replace(co_name='x')",
    "shutil.copyfile": "import shutil\ngetattr(shutil, 'copy' + 'file')('helper.py', 'y')",
    "shutil.copy": "import shutil\ngetattr(shutil, 'co' + 'py')('helper.py', 'y')",
}
# And by whom it may be called instead of the job: none of these asks on its own account.
CARRIERS = {
    "threading": "import threading, os\nt = threading.Thread(target=getattr(os, 'sys' + 'tem'),"
                 " args=('true; echo >ran',))\nt.start()\nt.join()",
    "the start of a thread": "import _thread, os, time\n_thread.start_new_thread("
                             "getattr(os, 'sys' + 'tem'), ('true; echo >ran',))\n"
                             "time.sleep(0.3)",
    "pandas": "import pandas, os\npandas.Series(['true; echo >ran']).apply("
              "getattr(os, 'sys' + 'tem'))",
    "map": "import os\nlist(map(getattr(os, 'sys' + 'tem'), ['true; echo >ran']))",
    "the exit": "import atexit, os\natexit.register(getattr(os, 'sys' + 'tem'),"
                " 'true; echo >ran')",
    "a pickle": "import pickle\npickle.loads(b'cos\\nsystem\\n(Vtrue; echo >ran\\ntR.')",
    "a fork": "import os\nif not os.fork():\n    try:\n"
              "        getattr(os, 'sys' + 'tem')('true; echo >ran')\n"
              "    finally:\n        os._exit(0)\nos.wait()",
}


@pytest.mark.parametrize("name", HIDDEN_CALLS)
def test_a_function_that_the_policy_denies_is_not_called(warden, name):
    code = HIDDEN_CALLS[name] + "\nprint('got it')"

    held = warden.run(code, files=HELPER, lists=denying([name]))
    free = warden.run(code, files=HELPER)

    assert (free.status, free.stdout) == ("succeeded", b"got it\n"), free
    assert b"got it" not in held.stdout
    assert b"PermissionError: the policy house does not allow the function '" in held.stderr
    assert len(denied(held)) == 1 and denied(held)[0][0] == "function"


@pytest.mark.parametrize("name", CARRIERS)
def test_it_is_not_called_by_somebody_else_either(warden, name):
    held = warden.run(CARRIERS[name], lists=denying(["os.system"]))
    free = warden.run(CARRIERS[name])

    assert [path for path, _, _ in free.files] == ["ran"], free
    assert held.files == [], held


def test_eval_and_exec_share_an_event_so_both_must_be_denied(warden):
    code = "print(getattr(__builtins__, 'ev' + 'al')('6 * 7'))"

    assert warden.run(code, lists=denying(["builtins.eval"])).stdout == b"42\n"
    held = warden.run(code, lists=denying(["builtins.eval", "builtins.exec"]))
    assert b"PermissionError: the policy house does not allow" in held.stderr


def test_code_cannot_call_itself_a_library(warden):
    code = ("import json\nname = json.__file__\n"
            "code = compile('import ctypes', name, 'exec')\nexec(code)\nprint('got it')")
    replaced = ("import json\nf = lambda: __import__('ctypes')\n"
                "f.__code__ = f.__code__.replace(co_filename=json.__file__)\nf()\nprint('got it')")

    for program in (code, replaced):
        assert warden.run(program).stdout == b"got it\n"
        held = warden.run(program, lists=STANDARD)
        assert held.stdout == b"" and b"cannot have the file name" in held.stderr


# --- what goes on as before -----------------------------------------------------------------------

LIBRARIES = {
    "numpy": "import numpy as np\na = np.arange(3)\nprint(a.ctypes.data > 0, a.sum())",
    "pandas": "import pandas as pd\nprint(pd.DataFrame({'a': [1]}).to_csv() != '')",
    "a style of pandas": "import pandas.io.formats.format\nprint('fine')",
    "platform": "import platform\nprint(platform.uname().system)",
    "uuid": "import uuid\nprint(uuid.uuid1() is not None)",
    "strptime": "import datetime\nprint(datetime.datetime.strptime('2020', '%Y').year)",
    "temporary file": "import tempfile\nwith tempfile.TemporaryFile() as f:\n    print(f.write(b'a'))",
    "processes": ("import multiprocessing as m\nif __name__ == '__main__':\n"
                  "    with m.Pool(2) as p:\n        print(p.map(abs, [-1]))"),
}


@pytest.mark.parametrize("preload", ["", "numpy,pandas,json,asyncio,threading"])
def test_libraries_use_what_they_need(preload):
    lists = denying(["os.popen", "builtins.open", "os.open", "tempfile.mkstemp", "os.listdir"],
                    policy("standard")["modules"]["deny"])
    warden = Warden(instance="libraries", preload=preload).wait_ready()
    try:
        for name, code in LIBRARIES.items():
            held, free = warden.run(code, lists=lists), warden.run(code)
            assert held.stdout == free.stdout != b"", (name, held)
            assert denied(held) == [], name
    finally:
        warden.close()


def test_strict_leaves_what_it_allows(warden):
    allowed = policy("strict")["modules"]["allow"]
    code = "\n".join(f"import {name}" for name in allowed if name != "__future__") + """
@dataclasses.dataclass
class Point:
    x: int
pprint.pprint(Point(1))
print(datetime.datetime.strptime('2020-02-29', '%Y-%m-%d').strftime('%a'), uuid.uuid4().version)
print(json.loads(json.dumps({'a': decimal.Decimal('1') == 1})), 'x'.encode('idna'))
print(csv.reader(io.StringIO('1,2')).__next__(), hashlib.sha256(b'').hexdigest()[:4])
print(collections.namedtuple('P', 'x')(1), statistics.mean([1, 2]), f'{time.time() > 0}')
"""
    done = warden.run(code, lists=STRICT)

    assert done.status == "succeeded", done
    assert denied(done) == [] and done.stdout.count(b"\n") == 5


def test_an_error_is_told_as_ever(warden):
    code = "def f():\n    return {}['k']\n\n\nf()\n"

    assert warden.run(code, lists=STRICT).stderr == warden.run(code).stderr


def test_functions_may_be_denied_by_default(warden):
    lists = guard({"name": "few", "functions": {"default": "deny", "allow": ["builtins.print"]}})
    code = ("class A:\n    x = property(lambda self: id(self))\n"
            "print(A().x > 0, (lambda: 0).__code__.co_name)")

    assert warden.run(code, lists=lists).stdout == b"True <lambda>\n"
    assert denied(warden.run("open('x', 'w')", lists=lists)) == [("function", "builtins.open")]


def test_a_policy_without_entries_denies_nothing(warden):
    done = warden.run("import ctypes, os\nprint(os.system('true'), eval('1'))",
                      lists=guard({"name": "open"}))

    assert done.stdout == b"0 1\n"


# --- what is told ---------------------------------------------------------------------------------


def test_many_refusals_are_counted_and_few_are_described(warden):
    code = ("for i in range(30):\n    for _ in range(2):\n        try:\n"
            "            __import__('ctypes.m%d' % i)\n        except ImportError:\n"
            "            pass\n42")

    told = report(warden.run(code, lists=STANDARD))

    assert told["result"] == "42"
    assert [one["count"] for one in told["denials"]] == [2] * 16
    assert told["denials_dropped"] == 28


def test_names_that_are_no_text_are_told_as_text(warden):
    code = ("for name in ('', 'ctypes.\\0', 'ctypes.\\udc80', 'ctypes.\\x01\"', "
            "'ctypes.' + 'é' * 500):\n"
            "    try:\n        __import__(name)\n    except Exception as e:\n"
            "        print(type(e).__name__)")

    done = warden.run(code, lists=STANDARD)

    assert done.status == "succeeded", done
    assert all(len(name) <= 120 and name.startswith("ctypes.") for _, name in denied(done))
    assert len(denied(done)) == 2


def test_a_report_that_fills_its_place_keeps_its_own_text(warden):
    code = "try:\n    import ctypes\nexcept ImportError:\n    pass\nraise ValueError('\\x01' * 9999)"

    told = report(warden.run(code, lists=STANDARD))

    assert told["error"]["name"] == "ValueError"


# --- fail closed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lists", [b"", b"\1", STANDARD[:-1], STANDARD + b"\0", b"\0" * 40],
                         ids=["empty", "short", "cut", "longer", "zeros"])
def test_lists_that_cannot_be_read_stop_the_job(warden, lists):
    done = warden.run("print('ran')", lists=lists)

    assert (done.exit_code, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"casemate: ")


def test_a_runtime_without_the_lock_takes_no_job_that_asks_for_it():
    warden = Warden(instance="shell", runtimes=[runtime_message(low=1, high=1), bash_message()])
    try:
        warden.wait_ready()
        held = warden.run("echo ran", runtime="bash", lists=STANDARD)
        free = warden.run("echo ran", runtime="bash")
    finally:
        warden.close()

    assert free.stdout == b"ran\n"
    assert held.stdout == b"" and b"cannot hold to the lists" in held.stderr


# --- a filter, not a wall -------------------------------------------------------------------------

STAYS = {
    "a hook of the job's own": "sys.addaudithook(lambda *a: None)\n",
    "a hook that refuses": ("def h(event, args):\n    if event == 'os.system':\n"
                            "        raise KeyError\nsys.addaudithook(h)\n"),
    "the importer put back": ("import importlib\n__builtins__.__import__ = importlib.__import__\n"),
}


@pytest.mark.parametrize("name", STAYS)
def test_the_hook_stays(warden, name):
    code = ("import sys, os\n" + STAYS[name]
            + "try:\n    getattr(os, 'sys' + 'tem')('echo got it')\n"
              "except PermissionError as e:\n    print('held')")

    assert warden.run(code, lists=denying(["os.system"])).stdout == b"held\n"


def test_another_interpreter_in_the_process_is_held_too(warden):
    code = ("try:\n    import _xxsubinterpreters as i\nexcept ImportError:\n"
            "    import _interpreters as i\n"
            "one = i.create()\n"
            "try:\n    failed = i.run_string(one, \"import os\\ngetattr(os, 'sys' + 'tem')"
            "('echo got it')\")\nexcept Exception as e:\n    failed = e\n"
            "print('held' if failed else 'ran')")

    assert warden.run(code).stdout == b"got it\nran\n"
    assert warden.run(code, lists=denying(["os.system"])).stdout == b"held\n"


# What docs/THREATS.md says climbs it. When one of these is held, say so there.
CLIMBS = {
    "native code": "import ctypes\nctypes.CDLL(None).system(b'echo got it')",
    "an interpreter of its own": ("import subprocess, sys\nsubprocess.run([sys.executable, '-c', "
                                  "'import os; os.system(\"echo got it\")'])"),
    "a list that names another": "import os\nos.spawnlp(os.P_WAIT, 'echo', 'echo', 'got it')",
}


@pytest.mark.parametrize("name", CLIMBS)
def test_what_climbs_it_is_known(warden, name):
    done = warden.run(CLIMBS[name], lists=denying(["os.system"]))

    assert done.stdout == b"got it\n", done


MODULE_CLIMBS = {
    "what is loaded": "import sys\nm = getattr(sys, 'mod' + 'ules')['ctypes']",
    "the importer's own": "import importlib._bootstrap as b\n"
                          "m = b._find_and_load('ctypes', b._gcd_import)",
    "a false name by marshal": (
        "import json, marshal\nname = json.__file__\n"
        "code = marshal.dumps(compile('import ctypes as m', 'x' * len(name), 'exec'))\n"
        "exec(marshal.loads(code.replace(b'x' * len(name), name.encode())))"),
}


@pytest.mark.parametrize("name", MODULE_CLIMBS)
def test_how_a_module_is_had_all_the_same_is_known(warden, name):
    done = warden.run("import numpy\n" + MODULE_CLIMBS[name] + "\nprint(m.__name__)",
                      lists=STANDARD)

    assert done.stdout == b"ctypes\n", done


def test_what_a_library_in_c_does_the_job_does(warden):
    done = warden.run("import zoneinfo\nzoneinfo.ZoneInfo('Europe/Paris')",
                      lists=denying(["builtins.open"]))

    assert denied(done) == [("function", "builtins.open")]
