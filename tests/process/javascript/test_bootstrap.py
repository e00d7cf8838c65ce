"""What programs see in a node that waited in the bootstrap, compared with `node main.js`."""

import re

import pytest
from launcher import BOOTSTRAP, ROOT, Node, plain, run

# --- ends, output -----------------------------------------------------------------------------

# Programs whose stdout and exit status must be those of node itself.
SAME_AS_NODE = {
    "nothing": "",
    "print": "console.log('hello', 1, [2.5], { a: null })\n",
    "unicode": "console.log('\\u00e9\\u20ac\\u{1f600}')\n",
    "hashbang": "#!/usr/bin/env node\nconsole.log('run')\n",
    "strict": "'use strict'\ntry { undefinedName = 1 } catch (e) { console.log(e.name) }\n",
    "sloppy": "undefinedName = 1; console.log(undefinedName, this === module.exports)\n",
    "uncaught": "console.log(1)\nthrow new Error('x')\n",
    "late": "setTimeout(() => { throw new Error('x') }, 5)\nconsole.log('first')\n",
    "rejected": "Promise.reject(new Error('x'))\n",
    "rejected value": "Promise.reject(5)\n",
    "handled": "Promise.reject(5).catch((v) => console.log('caught', v))\n",
    "listener": "process.on('uncaughtException', (e) => console.log(e.message))\nthrow Error('x')\n",
    "failing listener": "process.on('uncaughtException', () => { throw 2 })\nthrow 1\n",
    "rejection listener": ("process.on('unhandledRejection', (r) => console.log('seen', r))\n"
                           "Promise.reject(3)\n"),
    "exit": "console.log('a')\nprocess.exit(7)\nconsole.log('b')\n",
    "exit 256": "process.exit(256)\n",
    "exit code": "process.exitCode = 3\nconsole.log('on')\n",
    "exit listener": "process.on('exit', (c) => console.log('bye', c))\nprocess.exitCode = 4\n",
    "exit listener decides": "process.on('exit', () => { process.exitCode = 9 })\n",
    "exit listener after error": ("process.on('exit', (c) => console.log('bye', c))\n"
                                  "throw new Error('x')\n"),
    "before exit": ("let n = 0\nprocess.on('beforeExit', () => {\n"
                    "  if (n++ < 2) setImmediate(() => console.log('turn', n))\n})\n"),
    "return": "console.log('a')\nreturn\nconsole.log('b')\n",
    "order": ("setTimeout(() => console.log('timeout'), 0)\nPromise.resolve().then(() => "
              "console.log('then'))\nprocess.nextTick(() => console.log('tick'))\n"
              "console.log('main')\n"),
    "much output": "for (let i = 0; i < 20000; i++) console.log('line', i)\nprocess.exit(0)\n",
    "main": "console.log(require.main === module, module.id, module.parent, __filename)\n",
    "cache": "console.log(Object.keys(require.cache), process.execArgv, module.children)\n",
    "globals": "console.log(Object.keys(globalThis))\n",
    "no leak": "console.log(typeof acorn, typeof folder, typeof serve, process.listenerCount('exit'))\n",
    "stdin": "console.log(require('fs').readFileSync(0, 'utf8').split('\\n'))\n",
    "stdin stream": "process.stdin.setEncoding('utf8').on('data', (t) => console.log([t]))\n",
    "lines": ("require('readline').createInterface({ input: process.stdin })\n"
              "  .on('line', (l) => console.log('>', l)).on('close', () => console.log('end'))\n"),
    "worker": ("const { Worker } = require('worker_threads')\nnew Worker(\"require("
               "'worker_threads').parentPort.postMessage(6 * 7)\", { eval: true })\n"
               "  .on('message', console.log).on('exit', (c) => console.log('exit', c))\n"),
    "child": ("const { execFileSync } = require('child_process')\nconsole.log(execFileSync("
              "process.execPath, ['-p', '6 * 7']).toString())\n"),
    "dynamic import": "import('node:path').then((m) => console.log(m.posix.join('a', 'b')))\n",
    "own emit": "process.emit('exit')\nconsole.log('still here')\n",
    "await as a name": "const await = (x) => x + 1\nconsole.log(await (1))\n",
}


@pytest.mark.parametrize("name", SAME_AS_NODE)
def test_ends_as_node_does(name):
    code = SAME_AS_NODE[name]

    done = run(code, stdin=b"one\ntwo\n")

    stdout = re.sub(r"/\S*casemate-node-[^/]+", "", done.stdout)
    assert (done.status, stdout) == plain(code, b"one\ntwo\n"), done
    assert done.files == {}
    assert done.report is not None and (done.error is None) == (done.status not in (1, 7)
                                                               or name == "exit")


MODULES = {
    "import": "import { join } from 'node:path'\nconsole.log(join('a', 'b'))\n",
    "export": "export const a = 1\nconsole.log(a)\n",
    "meta": "console.log(import.meta.url.endsWith('/main.mjs'))\n",
    "await": "import 'node:fs'\nconsole.log(await Promise.resolve(3))\n",
    "strict": "import 'node:fs'\ntry { undefinedName = 1 } catch (e) { console.log(e.name) }\n",
    "no require": "import 'node:fs'\nconsole.log(typeof require, typeof module, this)\n",
    "error": "import 'node:fs'\nconsole.log(1)\nthrow new Error('x')\n",
    "rejected": "import 'node:fs'\nawait Promise.reject(new Error('x'))\n",
    "unsettled": "import 'node:fs'\nconsole.log(1)\nawait new Promise(() => {})\n",
    "exit": "import process from 'node:process'\nprocess.exit(6)\n",
    "create require": ("import { createRequire } from 'module'\nconst require = createRequire("
                       "import.meta.url)\nconsole.log(require('os').EOL === '\\n')\n"),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_end_as_nodes_do(name):
    done = run(MODULES[name])

    assert (done.status, done.stdout) == plain(MODULES[name], name="main.mjs"), done
    assert done.files == {}


# --- results ----------------------------------------------------------------------------------

RESULTS = {
    "1 + 1": "2",
    "const x = 5\nx * 2": "10",
    "'a'": "'a'",
    "undefined": None,
    "null": "null",
    "const x = 1": None,
    "console.log(1)": None,
    "for (let i = 0; i < 3; i++) i": None,
    "1; 2": "2",
    "1;;": "1",
    "1, 2": "2",
    "(3)\n// done\n\n": "3",
    "({ a: [1, { b: new Map([['c', 1n]]) }] })": "{ a: [ 1, { b: [Map] } ] }",
    "let x = 1\nx = 7": "7",
    "f()\nfunction f() { return 8 }": "8",
    "'use strict'\nconst x = 1": None,
    "module.exports = { a: 1 }": None,
    "exports.a = 1": None,
    "const f = (x) => x\nf\n(9)": "9",
    "`a${1}\nb`": "'a1\\nb'",
    "x = [\n5\n]\n": "[ 5 ]",
    "if (true) 5": None,
    "class A { #x = 1 }\nnew A()": "A {}",
    "/x+/g": "/x+/g",
    "async function main() { await null; return 'later' }\nmain()": "'later'",
    "async function main() { }\nmain()": None,
    "new Promise(() => {})": None,
    "Promise.reject(1).catch(() => 2)": "2",
    "setTimeout(() => {}, 1)": None,
    "process.on('exit', () => {})": None,
    "await Promise.resolve(4)": "4",
    "const x = await new Promise((r) => setTimeout(r, 5, 3))\nx + 1": "4",
    "for await (const x of [1, 2]) console.log(x)": None,
    "const { a } = await Promise.resolve({ a: 1 })\nrequire('path').basename('x/' + a)": "'1'",
    "import { sep } from 'node:path'\nsep": "'/'",
    "export const a = 5\na * 2": "10",
    "export default 3": None,
    "\u00e9 = 1; '\u20ac' + \u00e9": "'\u20ac1'",
}


@pytest.mark.parametrize("code", RESULTS)
def test_the_last_expression_is_the_result(code):
    done = run(code)

    assert done.status == 0 and done.error is None, done
    assert done.result == RESULTS[code]


def test_a_long_result_is_cut():
    result = run("'\\u20ac'.repeat(1000000)").result

    assert len(result) == 16384 and result.endswith("\u2026")


def test_a_result_of_long_characters_fits_the_report():
    done = run("'\\x01'.repeat(1000000)")

    assert len(done.raw) <= 56 * 1024 + 5 and len(done.result) > 1000


def test_a_failing_inspect_is_the_jobs_error():
    done = run("({ [require('util').inspect.custom]() { throw new RangeError('r') } })")

    assert (done.status, done.error["name"], done.result) == (1, "RangeError", None)


def test_a_program_beyond_the_parsers_bound_runs_without_a_result():
    done = run("console.log(1)\n" + "// x\n" * 60000 + "5")

    assert (done.status, done.stdout, done.result) == (0, "1\n", None)


def test_a_module_beyond_the_parsers_bound_is_still_one():
    done = run("import { sep } from 'path'\nconsole.log(sep)\n" + "// x\n" * 60000)

    assert (done.status, done.stdout) == (0, "/\n"), done


def test_an_await_beyond_the_parsers_bound_still_works():
    done = run("console.log(await Promise.resolve(2))\n" + "// x\n" * 60000)

    assert (done.status, done.stdout) == (0, "2\n"), done


# --- errors -----------------------------------------------------------------------------------

# code -> name, message, what the traceback is, line by line
ERRORS = {
    "function f(x) {\n  throw new TypeError(`bad ${x}`)\n}\n\nf(1)\n": (
        "TypeError", "bad 1",
        ["main.js:2", "  throw new TypeError(`bad ${x}`)", "        ^", "", "TypeError: bad 1",
         "    at f (main.js:2:9)", "    at Object.<anonymous> (main.js:5:1)"]),
    "const a = 1\n\nnull.x": (
        "TypeError", "Cannot read properties of null (reading 'x')",
        ["main.js:3", "null.x", "     ^", "",
         "TypeError: Cannot read properties of null (reading 'x')",
         "    at Object.<anonymous> (main.js:3:6)"]),
    "const a = 1\nconst b = ;\n": (
        "SyntaxError", "Unexpected token ';'",
        ["main.js:2", "const b = ;", "          ^", "", "SyntaxError: Unexpected token ';'"]),
    "import 'fs'\nconst b = ;\n": (
        "SyntaxError", "Unexpected token ';'",
        ["main.mjs:2", "const b = ;", "          ^", "", "SyntaxError: Unexpected token ';'"]),
    "const v = await go()\nasync function go() {\n  throw new RangeError('deep')\n}\n": (
        "RangeError", "deep",
        ["main.js:3", "  throw new RangeError('deep')", "        ^", "", "RangeError: deep",
         "    at go (main.js:3:9)", "    at main.js:1:17"]),
    "import 'fs'\nfunction f() { throw new Error('m') }\n\nf()\n": (
        "Error", "m",
        ["main.mjs:2", "function f() { throw new Error('m') }", "                     ^", "",
         "Error: m", "    at f (main.mjs:2:22)", "    at main.mjs:4:1"]),
    "setTimeout(() => {\n  later()\n}, 1)": (
        "ReferenceError", "later is not defined",
        ["main.js:2", "  later()", "  ^", "", "ReferenceError: later is not defined",
         "    at Timeout._onTimeout (main.js:2:3)"]),
    "class Trouble extends Error {}\nthrow new Trouble('t')": (
        "Trouble", "t",
        ["main.js:2", "throw new Trouble('t')", "      ^", "", "Trouble [Error]: t",
         "    at Object.<anonymous> (main.js:2:7)"]),
    "throw Object.assign(new Error('o', { cause: new Error('i') }), { code: 'E1' })": (
        "Error", "o",
        ["main.js:1",
         "throw Object.assign(new Error('o', { cause: new Error('i') }), { code: 'E1' })",
         "                    ^", "", "Error: o", "    at Object.<anonymous> (main.js:1:21) {",
         "  code: 'E1',", "  [cause]: Error: i", "      at Object.<anonymous> (main.js:1:45)",
         "}"]),
    "throw 'boom'": ("String", "boom", ["Uncaught 'boom'"]),
    "throw null": ("Error", "null", ["Uncaught null"]),
    "throw { code: 5 }": ("Object", "{ code: 5 }", ["Uncaught { code: 5 }"]),
    "await new Promise(() => {})": (
        "UnsettledAwait",
        "A top-level await never ended: nothing was left that could end it.", None),
}


@pytest.mark.parametrize("code", ERRORS)
def test_errors_name_the_callers_own_lines(code):
    name, message, traceback = ERRORS[code]
    done = run(code)

    assert (done.error["name"], done.error["message"]) == (name, message)
    assert (done.error["traceback"] or "").split("\n") == (traceback or [""])
    if traceback is not None:
        assert done.stderr == done.error["traceback"] + "\n"
    assert done.status == (1 if traceback is not None else 13) and done.result is None


def test_an_error_in_the_last_expression_has_its_own_column():
    done = run("const f = () => { throw new Error('x') }\n[1].map(f)")

    assert "at main.js" not in done.error["traceback"]
    assert "at Object.<anonymous> (main.js:2:5)" in done.error["traceback"]


def test_an_error_in_an_own_file_names_it():
    done = run("require('./lib/a')()", files={"lib/a.js": b"module.exports = () => {\n  x()\n}"})

    assert "at module.exports (lib/a.js:2:3)" in done.error["traceback"], done
    assert "at Object.<anonymous> (main.js:1:19)" in done.error["traceback"]


def test_a_syntax_error_in_an_own_file_names_it():
    done = run("require('./a')", files={"a.js": b"let x = 1\nlet x = 2\n"})

    assert done.error["traceback"].startswith("a.js:2\nlet x = 2\n    ^\n"), done


def test_nothing_of_ours_is_in_a_traceback():
    for code in ("x()", "import 'fs'; x()", "await x()", "require('fs').readFileSync('no')"):
        assert not re.search(r"node:|casemate", run(code).error["traceback"]), code


def test_hostile_text_comes_out_as_valid_text():
    done = run("throw new Error('\\udc80\\0' + '\\x01'.repeat(100000))")

    assert done.error["message"].startswith("\\udc80\\x00") and len(done.raw) <= 56 * 1024 + 5


def test_a_hostile_error_still_ends_with_a_report():
    done = run("const e = new Error('x')\nfor (const k of ['message', 'stack', 'name'])\n"
               "  Object.defineProperty(e, k, { get() { throw e } })\nthrow e")

    assert done.status == 1 and done.error["name"]


def test_patched_builtins_do_not_break_the_report():
    done = run("JSON.stringify = () => 'no'\nrequire('fs').writeSync = () => 0\n5")

    assert (done.status, done.result) == (0, "5")


# --- what a job is given ----------------------------------------------------------------------

def test_arguments_variables_and_standard_input():
    done = run("console.log(process.argv.slice(2), process.env.NAME, process.argv[1])\n"
               "console.log(require('fs').readFileSync('/dev/stdin', 'utf8'))",
               stdin="h\u00e9".encode(), args=["a b", "\u00fc", ""], env=[("NAME", "v=\u00e4")])

    first, second = done.stdout.splitlines()
    assert re.fullmatch(r"\[ 'a b', '\u00fc', '' \] v=\u00e4 /\S+/main\.js", first), done
    assert second == "h\u00e9"


def test_own_files_can_be_required_and_imported():
    files = {"a.js": b"exports.a = 1", "lib/index.js": b"module.exports = 2",
             "m.mjs": b"export let n = 0\nexport const up = () => { n += 3 }", "d.json": b"[4]"}

    assert run("console.log(require('./a').a, require('./lib'), require('./d.json')[0])",
               files=files).stdout == "1 2 4\n"
    assert run("import { n, up } from './m.mjs'\nimport a from './a.js'\nup()\n"
               "console.log(n, a.a)", files=files).stdout == "3 1\n"
    assert run("import('./m.mjs').then(({ up }) => console.log(typeof up))",
               files=files).stdout == "function\n"
    assert run("console.log((await import('./m.mjs')).n)", files=files).stdout == "0\n"


def test_a_module_does_not_touch_a_file_of_its_name():
    done = run("import fs from 'fs'\nconsole.log(fs.readFileSync('main.mjs', 'utf8'))\nx()",
               files={"main.mjs": b"mine"})

    assert done.stdout == "mine\n" and done.files == {}
    assert "at main-1.mjs:3:1" in done.error["traceback"]


def test_a_modules_text_is_no_file_while_it_runs():
    assert run("import fs from 'fs'\nconsole.log(fs.readdirSync('.'))").stdout == "[]\n"


def test_a_zone_in_the_environment_counts():
    assert run("new Date(0).getHours()", env=[("TZ", "Asia/Tokyo")]).result == "9"


def test_children_do_not_get_the_channel():
    done = run("require('child_process').exec('echo x >&3', (e, o, s) => console.log(e.code))")

    assert done.stdout == "2\n" or done.stdout == "1\n"
    assert done.report == {"error": None, "result": None}


def test_it_says_ready_before_it_knows_the_job_and_ends_without_one():
    node = Node().wait_ready()
    node.channel.close()

    assert node.process.wait(10) == 0
    node.close()


def test_limits_are_those_of_the_wire():
    limits = (ROOT / "schema/limits.h").read_text()
    ours = BOOTSTRAP.read_text()

    kib = re.search(r"LIMIT_REPORT_BYTES +\((\d+) \* 1024\)", limits)[1]
    assert f"REPORT_BYTES_MAX = {kib} * 1024;" in ours
    characters = re.search(r"LIMIT_RESULT_CHARS +(\d+)", limits)[1]
    assert f"RESULT_CHARS_MAX = {characters};" in ours
