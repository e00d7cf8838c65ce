"""`casemate check`: exit codes, what is printed, that hostile sources and rules end it in order."""

import json
import os
import re
import select
import subprocess
import urllib.parse
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
VARIANT = os.environ.get("VARIANT", "release")
CASEMATE = ROOT / "build" / VARIANT / "bin" / "casemate"
TEST_CASEMATE = ROOT / "build" / "test" / "bin" / "casemate"
RULES = ROOT / "tests/unit/validator/rules"
ACCEPTED, REJECTED, UNUSABLE = 0, 1, 2
# The search for leaks needs a thread, which what is confined does not get.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"


def check(*arguments, source=None):
    return subprocess.run([CASEMATE, "check", *arguments], capture_output=True,
                          input=source.encode() if isinstance(source, str) else source)


def judge(source, language="python", *options):
    return check("--rules", RULES, "--language", language, *options, "-", source=source)


def test_findings_are_printed_as_a_compiler_does():
    done = judge("import os as o\n\no.system('ls')  # x\n")
    assert done.returncode == REJECTED
    assert done.stdout.decode().splitlines() == [
        "-:3:1: high: `os.system` runs a shell command [py-os-system, CWE-78]",
        "     3 | o.system('ls')  # x",
        "       | ^",
        "       = hint: Do it in Python.",
        "       = the policy standard rejects the code for this"]


def test_what_no_rule_finds_is_accepted(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("print(1)\n")
    done = check("--rules", RULES, file)
    assert (done.returncode, done.stdout) == (ACCEPTED, b"")


def test_below_high_is_told_only():
    done = judge("c.execute('select ' + x)\n")
    assert done.returncode == ACCEPTED and b"low: sql" in done.stdout
    assert b"rejects" not in done.stdout


@pytest.mark.parametrize("policy, code", [("open", ACCEPTED), ("standard", ACCEPTED), ("strict", REJECTED)])
def test_a_policy_says_what_becomes_of_code_that_does_not_parse(policy, code):
    """Under one that refuses it the interpreter has no say, and the hint must not promise it."""
    done = judge("x = 1\nprint(x\n", "python", "--policy", policy)
    assert done.returncode == code and b"-:2:6: low: the `(` here is never closed [syntax-error" in done.stdout
    assert (b"If the interpreter takes it, it runs" in done.stdout) is (code == ACCEPTED)
    assert (b"the policy strict rejects the code for this" in done.stdout) is (code == REJECTED)


@pytest.mark.parametrize("arguments", [
    (), ("a.py", "b.py"), ("-", "/nowhere.py"), ("--language",), ("--language", "cobol", "-"), ("--what", "-"),
    ("/nowhere.py",), ("--rules", "/nowhere", "-"), ("--rules", str(RULES), "-"),
])
def test_what_cannot_be_used_says_so(arguments):
    done = check(*arguments, source="")
    assert done.returncode == UNUSABLE and done.stderr.startswith(b"casemate: ")


def write_three(folder):
    """Files without, with a small and with a rejecting finding, in two languages."""
    sources = {"a.py": "print(1)\n", "b.py": "c.execute('select ' + x)\n",
               "c.js": "require('child_process').exec('x')\n"}
    for name, source in sources.items():
        (folder / name).write_text(source)
    return [folder / name for name in sources]


def test_several_files_are_judged_in_order(tmp_path):
    files = write_three(tmp_path)

    done = check("--rules", RULES, *files)

    assert done.returncode == REJECTED
    first = [line.split(b":")[0] for line in done.stdout.splitlines() if b" [" in line]
    assert first == [str(files[1]).encode(), str(files[2]).encode()]
    assert check("--rules", RULES, *files[:2]).returncode == ACCEPTED
    assert check("--rules", RULES, *([files[0]] * 512)).returncode == ACCEPTED
    assert check("--rules", RULES, *([files[0]] * 513)).returncode == UNUSABLE


def test_several_files_in_each_format(tmp_path):
    files = write_three(tmp_path)

    lines = check("--rules", RULES, "--json", *files).stdout.splitlines()
    sarif = json.loads(check("--rules", RULES, "--sarif", *files).stdout)

    answers = [json.loads(line) for line in lines]
    assert [answer["file"] for answer in answers] == [str(file) for file in files]
    assert [answer["verdict"] for answer in answers] == ["accepted", "accepted", "rejected"]
    assert [[uri_of(result), result["ruleId"]] for result in sarif["runs"][0]["results"]] == [
        [files[1].as_uri(), "py-sql"], [files[2].as_uri(), "js-exec"]]


def uri_of(result):
    return result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def confinement(casemate, **environment):
    """The fields of its status once it has read what fills the pipe."""
    process = subprocess.Popen([casemate, "check", "--language", "python", "-"],
                               stdin=subprocess.PIPE, env={**os.environ, **environment})
    try:
        pipe = process.stdin.fileno()
        os.write(pipe, b"#" * 65536)
        assert select.select([], [pipe], [], 60)[1], "it does not read"
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.stdin.close()
        process.wait()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return fields["Seccomp"].strip(), fields["NoNewPrivs"].strip()


def test_it_is_confined_before_it_reads():
    assert confinement(CASEMATE) == ("2", "1")


@pytest.mark.skipif(not TEST_CASEMATE.exists(), reason="build it with `make VARIANT=test all`")
def test_the_probe_notices_when_it_is_not():
    assert confinement(TEST_CASEMATE, CASEMATE_CHECK_UNCONFINED="1") == ("0", "0")
    assert confinement(TEST_CASEMATE) == ("2", "1")


@pytest.mark.may_skip
def test_a_release_cannot_be_told_to_leave_it_out():
    if VARIANT != "release":
        pytest.skip("a test build can")
    assert confinement(CASEMATE, CASEMATE_CHECK_UNCONFINED="1") == ("2", "1")


def test_json_is_what_the_service_answers():
    done = judge("eval(x)\n", "python", "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == REJECTED
    assert answer["verdict"] == "rejected" and answer["findings_truncated"] is False
    finding = answer["findings"][0]
    assert finding["rule"] == "py-eval" and finding["rejects"] is True
    assert (finding["line"], finding["column"], finding["end_column"]) == (1, 1, 8)
    assert finding["source"] == "eval(x)"


# Of its own URI characters an encoded path has only these; the drive letter of `c:a.py` is none.
URI = re.compile(r"(file://)?[A-Za-z0-9._~/-]*(%[0-9A-F]{2}[A-Za-z0-9._~/-]*)*\Z")


def check_sarif(document):
    """What SARIF 2.1.0 requires of the objects that we write (sections 3.13 to 3.30)."""
    assert document["version"] == "2.1.0" and document["$schema"].endswith("/sarif-schema-2.1.0.json")
    assert len(document["runs"]) == 1
    run = document["runs"][0]
    driver = run["tool"]["driver"]
    assert set(run) == {"tool", "columnKind", "results"} and run["columnKind"] == "unicodeCodePoints"
    assert driver["name"] == "casemate" and re.fullmatch(r"\d+(\.\d+){1,3}", driver["version"])
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids)) and all(rule["help"]["text"] for rule in driver["rules"])
    for result in run["results"]:
        assert set(result) == {"ruleId", "ruleIndex", "level", "message", "locations"}
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note") and result["message"]["text"]
        assert URI.match(uri_of(result)), uri_of(result)
        region = result["locations"][0]["physicalLocation"]["region"]
        start, end = ((region[f"{at}Line"], region[f"{at}Column"]) for at in ("start", "end"))
        assert min(*start, *end) >= 1 and start <= end
    return run


def test_sarif_names_rules_and_places():
    done = judge("eval(x)\neval(y)\nx = '\U0001f600\u00e9'; eval(z)\n", "python", "--sarif")
    run = check_sarif(json.loads(done.stdout))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["py-eval"]
    regions = [result["locations"][0]["physicalLocation"]["region"] for result in run["results"]]
    # Columns count characters, not bytes and not UTF-16; the end is behind the last.
    assert [(r["startLine"], r["startColumn"], r["endLine"], r["endColumn"]) for r in regions] == [
        (1, 1, 1, 8), (2, 1, 2, 8), (3, 11, 3, 18)]
    assert {result["level"] for result in run["results"]} == {"error"}
    assert {uri_of(result) for result in run["results"]} == {"-"}


def test_sarif_of_nothing_and_of_everything_that_needs_no_rule(tmp_path):
    sources = {"none.py": b"x = 1\n", "syntax.py": b"x = (\n", "bytes.py": b"x = '\xff\x07'\n",
               "limit.py": b"x=" + b"[" * 100_000, "long.py": b"x = 1\n" * 3, "empty.py": b"",
               "deny.py": b"import ctypes\n", "nested.py": b"x" + b"(" * 60 + b")" * 60}
    policy = tmp_path / "p.json"
    policy.write_text('{"narrows": "standard", "size": {"lines": 2, "nesting": 40}}')
    for name, source in sources.items():
        (tmp_path / name).write_bytes(source)

    files = [tmp_path / name for name in sources]
    run = check_sarif(json.loads(check("--sarif", "--policy", policy, *files).stdout))

    assert {result["ruleId"] for result in run["results"]} == {
        "syntax-error", "source-encoding", "source-control", "source-limit", "policy-size", "policy-module"}
    assert check_sarif(json.loads(check("--sarif", files[0]).stdout))["results"] == []


@pytest.mark.parametrize("name", ["a b.py", "100%.py", "c:a.py", "\u00e9#?.py", '"\\.py', b"\xff.py"])
def test_a_place_in_sarif_is_a_uri_that_leads_back_to_the_file(tmp_path, name):
    name = os.fsdecode(name)
    (tmp_path / name).write_text("eval(x)\n")
    for path in (name, f"./{name}", str(tmp_path / name)):
        done = subprocess.run([CASEMATE, "check", "--rules", RULES, "--sarif", path], cwd=tmp_path,
                              capture_output=True, check=False)
        uri = uri_of(check_sarif(json.loads(done.stdout))["results"][0])
        assert uri.startswith("file:///") is path.startswith("/")
        assert urllib.parse.unquote_to_bytes(uri.removeprefix("file://")) == os.fsencode(path)


def test_a_terminal_is_not_steered():
    done = judge(b"x = '\x1b[2J\xe2\x80\xae\xff'\n")
    assert done.returncode == REJECTED  # the change of direction
    assert b"\x1b" not in done.stdout and b"\xe2\x80\xae" not in done.stdout
    done.stdout.decode()


HOSTILE = {
    "10 MB": ("python", b"import os\n" * 1_000_000),
    "brackets": ("python", b"x=" + b"[" * 100_000),
    "open tokens": ("javascript", b"{" * 100_000),
    "nested templates": ("javascript", b"`${" * 19_000),
    "nested substitutions": ("bash", b"$(" * 14_000),
    "one line": ("python", b"x='" + b"a" * 5_000_000),
    "no UTF-8": ("python", b"\xff\xfe" * 400_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sources_end_with_a_finding(name):
    language, source = HOSTILE[name]
    done = judge(source, language)
    assert done.returncode in (ACCEPTED, REJECTED), done
    assert b"[source-limit, " in done.stdout or b"[syntax-error, " in done.stdout


def test_examples_are_run(tmp_path):
    done = check("--rules", RULES)
    assert done.returncode == ACCEPTED and done.stdout.endswith(
        b" rules, 0 with an example that fails\n")
    rules = json.loads((RULES / "python.json").read_text())
    rules["rules"][1]["match"].append("print(1)")
    (tmp_path / "a.json").write_text(json.dumps(rules))
    done = check("--rules", tmp_path)
    assert done.returncode == REJECTED
    assert b"a.json: py-eval: match[7] is not found: print(1)" in done.stdout


def test_rules_that_cannot_be_loaded_are_named(tmp_path):
    (tmp_path / "a.json").write_text('{"language": "python", "family": "x-y", "rules": [{}]}')
    done = check("--rules", tmp_path)
    assert done.returncode == UNUSABLE and done.stderr.startswith(b"casemate: a.json: /rules/0")


EVASIONS = {
    "python": ["import ctypes as c\n", "from ctypes import CDLL\n", "__import__('cty' + 'pes')\n",
               "import importlib as i\ni.import_module('ctypes')\n",
               "import sys\nsys.modules['ctypes']\n", "f = ().__subclasses__\n",
               "getattr(x, '__sub' 'classes__')\n"],
    "javascript": ["require('node:inspector')\n", "import 'inspector'\n",
                   "process['bin' + 'ding']('x')\n"],
    "bash": ["sudo ls\n", "m=mount; $m x\n", "command unshare -r id\n"],
}


@pytest.mark.parametrize("language", EVASIONS)
def test_a_policy_denies_by_resolved_names(language):
    for source in EVASIONS[language]:
        done = judge(source, language)
        assert done.returncode == REJECTED, source
        assert b"the policy standard does not allow the " in done.stdout, source
        assert judge(source, language, "--policy", "open").returncode == ACCEPTED, source


@pytest.mark.parametrize("source, word", [
    ("import os\n", "module `os`"), ("open('a')\n", "function `builtins.open`"),
    ("f = eval\n", "function `builtins.eval`"), ("x.__class__\n", "attribute `__class__`"),
    ("while True:\n    pass\n", "syntax `endless-loop`"),
    ("from math import *\n", "syntax `star-import`"),
    ("__import__('math')\n", "syntax `dynamic-import`")])
def test_strict_is_pure_computation(source, word):
    done = judge(source, "python", "--policy", "strict")
    assert done.returncode == REJECTED and word.encode() in done.stdout, done
    assert judge("import math\nwhile True:\n    break\nprint(math.pi)\n", "python", "--policy",
                 "strict").returncode == ACCEPTED


# Each kind of syntax: what is it, and what only looks like it.
SYNTAX = {
    "background": {"bash": ([b"sleep 1 &\n", b"{ echo a & echo b; }\n", b"(echo a &)\n"],
                            [b"echo $((1 & 2)) 2>&1 && echo a\n", b"echo a &> b\n", b"echo '&' \\&\n"])},
    "with": {"javascript": ([b"with (x) { y }\n"], [b"x.with(1)\n", b"let y = 'with (x) {}'\n"])},
    "star-import": {"python": ([b"from math import *\n"], [b"from math import sin\nx = 2 * 3\n"])},
    "dynamic-import": {
        "python": ([b"__import__('math')\n", b"import importlib as i\ni.import_module(x)\n"], [b"import math\n"]),
        "javascript": ([b"require(x)\n", b"import('fs')\n"], [b"require('fs')\n", b"import 'fs'\n"])},
    "code-evaluation": {
        "python": ([b"eval(x)\n", b"e = exec\ne('1')\n", b"compile(x, '', 'exec')\n"], [b"x.eval()\n"]),
        "javascript": ([b"eval(x)\n", b"new Function('x')\n"], [b"x.eval()\n"]),
        "bash": ([b"eval echo a\n", b"x=eval; $x ls\n"], [b"echo eval\n"])},
    "endless-loop": {
        "python": ([b"while True:\n  pass\n", b"while 1:\n  x = 'break'\n", b"while 'a':\n  'break'\n",
                    b"while True:\n  for i in y:\n    break\n", b"while True:\n  def f():\n    return 1\n"],
                   [b"while x:\n  pass\n", b"while True:\n  if x:\n    break\n", b"while 0:\n  pass\n",
                    b"def f():\n  while True:\n    for i in x:\n      return 1\n", b"while True:\n  raise X\n",
                    b"def f():\n  while True:\n    yield 1\n", b"while True:\n  sys.exit(1)\n"]),
        "javascript": ([b"for (;;) {}\n", b"do {} while (true)\n", b"while (true) { while (x) { break } }\n"],
                       [b"a: while (true) { while (x) { break a } }\n", b"for (let i = 0; i < 3; i++) {}\n",
                        b"for (let i = 0;; i++) { if (i) break }\n", b"while (true) { switch (x) { case 1: break } }\n"]),
        "bash": ([b"while true; do echo break; done\n", b"until false; do :; done\n", b"for ((;;)); do :; done\n",
                  b"while ((1)); do for x in 1; do break; done; done\n"],
                 [b"until true; do echo; done\n", b"while true; do break; done\n", b"while read x; do :; done\n",
                  b"while :; do for x in 1; do break 2; done; done\n", b"for ((i=0;i<3;i++)); do :; done\n"])},
}


@pytest.mark.parametrize("kind, language", [(kind, language) for kind in SYNTAX for language in SYNTAX[kind]])
def test_each_kind_of_syntax_is_denied_where_a_policy_says_so(tmp_path, kind, language):
    policy = tmp_path / "p.json"
    policy.write_text(json.dumps({language: {"syntax": {"deny": [kind]}}}))
    bad, good = SYNTAX[kind][language]
    for source in bad + good:
        done = judge(source, language, "--policy", policy)
        assert done.returncode == (REJECTED if source in bad else ACCEPTED), done
        assert (f"does not allow the syntax `{kind}`".encode() in done.stdout) is (source in bad), done
        assert judge(source, language, "--policy", "open").returncode == ACCEPTED


def test_an_installed_policy_is_shown_with_what_it_is_for():
    def show(*arguments):
        return subprocess.run([CASEMATE, "policy", "show", *arguments], capture_output=True, text=True, check=False)

    for name in ("open", "standard", "strict"):
        done = show(name)
        document = json.loads(done.stdout)
        assert done.returncode == 0 and document["title"] and document["description"].startswith("For ")
    for name in ("nobody", "../policies/open", "x" * 5000):
        done = show(name)
        assert (done.returncode, done.stdout) == (UNUSABLE, "")
        assert "there are: open standard strict" in done.stderr
    assert show().returncode == UNUSABLE and "show NAME" in show().stderr


def test_strict_denies_every_kind_of_syntax():
    """A kind that is in nobody's list is one that nobody needs, or one that was forgotten."""
    strict = json.loads((ROOT / "validator/policies/strict.json").read_text())
    for kind, languages in SYNTAX.items():
        assert [language for language in languages if kind not in strict[language]["syntax"]["deny"]] == []


def test_a_policy_of_ones_own(tmp_path):
    policy = tmp_path / "p.json"
    policy.write_text(json.dumps({
        "title": "Mine", "size": {"lines": 2, "line_bytes": 20},
        "severities": {"py-sql": "off", "py-eval": "info"}, "reject": {"severity": "none"}}))
    for source, code, finding in (("x = 1\ny = 2\n", ACCEPTED, b""),
                                  ("x\ny\nz\n", REJECTED, b"more than 2 lines"),
                                  ("x = 1 + 2 + 3 + 4 + 5\n", REJECTED, b"20 bytes in a line"),
                                  ("eval(x)\n", ACCEPTED, b"info: `eval`"),
                                  ("c.execute('a'+x)\n", ACCEPTED, b"")):
        done = judge(source, "python", "--policy", policy)
        assert done.returncode == code and finding in done.stdout, done
        assert finding or not done.stdout
    policy.write_text('{"title": "x", "what": 1}')
    assert judge("x", "python", "--policy", policy).returncode == UNUSABLE
    assert judge("x", "python", "--policy", "nobody").returncode == UNUSABLE


def test_a_policy_names_rules_that_there_are(tmp_path):
    policy = tmp_path / "p.json"
    for document, code in (({"severities": {"py-evl": "high"}}, UNUSABLE),
                           ({"reject": {"rules": ["py-eval"]}}, REJECTED)):
        policy.write_text(json.dumps(document))
        done = check("--language", "python", "--policy", policy, "-", source="eval(x)\n")
        assert done.returncode == code, done
        assert (b'/severities/py-evl: there is no rule "py-evl". Did you mean "py-eval"?' in done.stderr) is (
            code == UNUSABLE)


def test_what_is_not_a_use_is_not_denied():
    source = "def open(x):\n    return x\n\nopen(1)\nf(eval=1)\nx.eval()\n"
    assert judge(source, "python", "--policy", "strict").stdout == b""
