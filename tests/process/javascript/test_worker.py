"""Node in a cell: behind the real wall, with the real launcher in front."""

import json
import signal
import time

import pytest

MIB = 1 << 20


def error(done):
    return json.loads(done.report)["error"]


def kinds(done):
    return {event["kind"]: event for event in done.events}


def test_a_quiet_program_has_no_events(javascript):
    done = javascript("console.log(1)")

    assert (done.status, done.exit_code, done.stdout, done.stderr) == ("succeeded", 0, b"1\n", b"")
    assert done.events == [] and done.processes_peak <= 1


def test_result_and_error_are_in_the_report(javascript):
    assert json.loads(javascript("const x = 4\nx * 2").report) == {"error": None, "result": "8"}
    done = javascript("const x = 4\nx()")
    assert (done.status, done.exit_code) == ("failed", 1)
    assert error(done)["traceback"].split("\n") == [
        "main.js:2", "x()", "^", "", "TypeError: x is not a function",
        "    at Object.<anonymous> (main.js:2:1)"]


def test_what_a_job_is_given(javascript):
    done = javascript(
        "const fs = require('fs')\nconst { A, HOME, TMPDIR } = process.env\n"
        "console.log(process.argv, process.cwd(), A, HOME, TMPDIR, fs.readFileSync(0, 'utf8'))\n"
        "console.log(require('./in/a.js'))\nfs.writeFileSync('out.txt', 'x')\n"
        "fs.writeFileSync('in/a.js', '2')",
        args=["a b", "\u00e9"], env=[("A", "v")], stdin=b"typed", files=[
            ("in/a.js", b"module.exports = 41"), ("same.txt", b"same")])

    assert done.stdout.decode() == (
        "[ '/usr/bin/node', '/workspace/main.js', 'a b', '\u00e9' ] /workspace v /workspace /tmp "
        "typed\n41\n"), done
    assert {name: data for name, _, data in done.files} == {"out.txt": b"x", "in/a.js": b"2"}


WITHOUT_PROC = {
    "cpus": "require('os').cpus().length > 0",
    "memory": "Object.values(process.memoryUsage()).length === 5 && process.memoryUsage.rss() > 1e6",
    "total": "require('os').totalmem() > require('os').freemem()",
    "self": "require('child_process').execFileSync(process.execPath, ['-p', '1']).toString() === '1\\n'",
    "shell": "require('child_process').execSync('seq 3 | wc -l').toString() === '3\\n'",
    "zone": ("new Intl.DateTimeFormat('en', { timeZone: 'Asia/Tokyo', hour: 'numeric', hour12: false })"
             ".format(0) === '09'"),
    "random": "require('crypto').randomBytes(8).length === 8 && crypto.randomUUID().length === 36",
    "hash": "require('crypto').createHash('md5').update('a').digest('hex').startsWith('0cc1')",
    "gzip": "require('zlib').gunzipSync(require('zlib').gzipSync('abc')).toString() === 'abc'",
    "temporary": "require('fs').mkdtempSync(require('os').tmpdir() + '/x').startsWith('/tmp/x')",
    "promises": "(await require('fs/promises').readdir('.')).length === 0",
    "copy": ("const f = require('fs')\nf.writeFileSync('/tmp/a', 'x'); f.cpSync('/tmp/a', '/tmp/b')\n"
             "f.readFileSync('/tmp/b', 'utf8') === 'x'"),
    "resources": "process.resourceUsage().maxRSS > 1000 && process.uptime() > 0",
    "host name": "require('os').hostname().length > 0 && require('os').homedir() === '/workspace'",
    "wasm": ("new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) "
             "instanceof WebAssembly.Module"),
    "shared memory": "Atomics.add(new Int32Array(new SharedArrayBuffer(4)), 0, 5) === 0",
}


@pytest.mark.parametrize("name", WITHOUT_PROC)
def test_works_without_proc(javascript, name):
    done = javascript(WITHOUT_PROC[name])

    assert done.status == "succeeded" and json.loads(done.report)["result"] == "true", done
    assert [event for event in done.events if event["severity"] != "info"] == []


def test_modules_load_behind_the_wall(javascript):
    done = javascript("import { readdir } from 'node:fs/promises'\nimport { n } from './lib/m.mjs'\n"
                      "console.log(await readdir('.'), n, import.meta.url)\nn + 1",
                      files=[("lib/m.mjs", b"export const n = 4")])

    assert done.stdout == b"[ 'lib' ] 4 file:///workspace/main.mjs\n", done
    assert json.loads(done.report)["result"] == "5" and done.files == []


def counts_memory(done):
    """False where address space is counted in its stead: V8 asks for much more than it uses."""
    return "cgroup_memory" in done.layers


def test_threads_of_a_job_are_told(javascript):
    done = javascript("const { Worker } = require('worker_threads')\nnew Worker('1', { eval: true })")

    if not counts_memory(done):  # no room for a second heap
        assert done.status in ("failed", "killed"), done
        return
    assert done.status == "succeeded" and 1 <= kinds(done)["processes_started"]["count"] <= 3


def test_nodes_own_threads_do_not_count(javascript):
    done = javascript("require('child_process').execFileSync('/bin/true')\nconsole.log('ran')",
                      processes=2)

    assert done.stdout == b"ran\n", done


def test_every_job_has_its_own_node_and_randomness(javascript):
    code = ("console.log(Math.random(), crypto.randomUUID(), process.pid, globalThis.left)\n"
            "globalThis.left = 1")
    seen = [javascript(code).stdout.split() for _ in range(3)]

    assert len({row[0] for row in seen}) == len({row[1] for row in seen}) == 3
    assert {(row[2], row[3]) for row in seen} == {(b"3", b"undefined")}


def test_its_children_hold_nothing_of_its_own(javascript):
    done = javascript("const { execFileSync } = require('child_process')\nconsole.log(execFileSync("
                      "'python3', ['-c', `import os\nfor fd in range(3, 999):\n  try: os.fstat(fd); "
                      "print(fd)\n  except OSError: pass`]).toString())")

    assert done.stdout == b"\n", done


# --- ends ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("code, exit_code", [
    ("process.exit(7)", 7), ("process.exitCode = 300", 44), ("process.reallyExit(5)", 5),
    ("await new Promise(() => {})", 13)])
def test_exit_codes(javascript, code, exit_code):
    done = javascript(code)

    assert (done.status, done.exit_code) == ("failed", exit_code)


@pytest.mark.parametrize("code, signal", [
    ("process.abort()", 6), ("process.kill(process.pid, 'SIGKILL')", 9),
    ("process.kill(process.pid)\nsetTimeout(() => {}, 5000)", 15)])
def test_signals(javascript, code, signal):
    done = javascript(code)

    assert (done.status, done.signal) == ("killed", signal), done


def test_an_answer_does_not_wait_for_nodes_end(javascript):
    began = time.monotonic()
    done = javascript("process.on('exit', () => { process.reallyExit = null })\nconsole.log(1)")

    assert done.status == "succeeded" and time.monotonic() - began < 5


# What comes behind one of these is what the bootstrap says, so that the next byte of "half" is the
# brace of a report; or node's own end, where that is seen first. Reports that are none, whoever sends
# them: tests/process/launch/test_ahead.py.
REPORTS = {
    "half": "fs.writeSync(3, Buffer.from([5, 0, 0, 0, 1]))",
    "closed": "fs.closeSync(3)",
    "own status": "fs.writeSync(3, Buffer.from([2, 0, 0, 0, 0x7b, 0x7d, 9]))\nwhile (true) {}",
    "not ours": "fs.writeSync(3, Buffer.from([2, 0, 0, 0, 0x7b, 0x7d]))\nprocess.reallyExit(3)",
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_hostile_report_harms_its_own_job_only(javascript, name):
    done = javascript("const fs = require('fs')\n" + REPORTS[name], wall_ms=5000)

    assert done.status in ("succeeded", "failed"), done
    ends = {"own status": [9], "not ours": [3], "half": [ord("{"), 0]}.get(name, [0])
    assert done.exit_code in ends, done
    assert javascript("console.log('fine')").stdout == b"fine\n"


# --- limits -------------------------------------------------------------------------------------

@pytest.mark.parametrize("code, limits, hit", [
    ("while (true) {}", {"wall_ms": 300}, "wall"),
    ("setInterval(() => {}, 10)", {"wall_ms": 300}, "wall"),
    ("import 'fs'\nwhile (true) {}", {"cpu_ms": 300}, "cpu"),
    ("({ get [Symbol.toStringTag]() { while (true) {} } })", {"cpu_ms": 300}, "cpu"),
    ("while (true) console.log('x'.repeat(1000))", {"output_bytes": 4096}, "stdout"),
    ("while (true) console.error('x'.repeat(1000))", {"output_bytes": 4096}, "stderr"),
])
def test_limits_of_time_and_output(javascript, code, limits, hit):
    done = javascript(code, **limits)

    assert done.limit_hit == hit, done
    assert done.status == ("output_exceeded" if hit.startswith("std") else "timed_out")


@pytest.mark.parametrize("code", [
    "const a = []\nwhile (true) a.push(new Array(1000).fill(1.5))",
    "const a = []\nwhile (true) a.push(Buffer.alloc(1 << 20, 1))",
    "let s = 'x'\nconst a = []\nwhile (true) { s = s + s.slice(0, 1000); a.push([...s]) }",
])
def test_too_much_memory(javascript, code):
    done = javascript(code, memory_bytes=128 * MIB, wall_ms=60000, cpu_ms=60000, timeout=60)

    if counts_memory(done):
        assert done.status == "memory_exceeded", done
    else:  # V8's own end when it is refused address space
        assert done.status == "killed" and done.signal == signal.SIGABRT, done


def test_garbage_does_not_count_as_memory(javascript):
    """V8 sees no limit but the one it is started with, and is told to collect early."""
    code = ("const kept = []\nfor (let i = 0; i < 40; i++)\n"
            "  kept.push(Array.from({ length: 130000 }, (_, j) => j + 0.5))\n"
            "for (let i = 0; i < 400; i++)\n"
            "  kept[i % 40] = Array.from({ length: 130000 }, (_, j) => j + 0.5)\nkept.length")
    done = javascript(code, memory_bytes=192 * MIB, wall_ms=60000, cpu_ms=60000, timeout=90)

    assert done.status == "succeeded" and json.loads(done.report)["result"] == "40", done


def test_more_than_an_array_can_have_is_the_jobs_error(javascript):
    assert error(javascript("new Array(-1)"))["name"] == "RangeError"


def test_a_full_workspace(javascript):
    done = javascript("require('fs').writeFileSync('a', Buffer.alloc(8 << 20))",
                      workspace_bytes=MIB)

    assert done.status != "succeeded"


def test_children_are_killed_with_the_job(javascript):
    began = time.monotonic()
    done = javascript("require('child_process').spawn('sleep', ['60'],\n"
                      "  { detached: true, stdio: 'ignore' }).unref()")

    assert done.status == "succeeded" and time.monotonic() - began < 10


# --- what it may not do --------------------------------------------------------------------------

@pytest.mark.parametrize("code", [
    "require('net').connect(80, '192.0.2.1').on('error', (e) => console.log(e.code))",
    "require('dgram').createSocket('udp4').on('error', (e) => console.log(e.code)).bind(5)",
    "require('http').createServer().on('error', (e) => console.log(e.code)).listen(8080)",
    "fetch('http://192.0.2.1/').catch((e) => console.log(e.cause.code))",
])
def test_the_network_is_denied_and_told(javascript, code):
    done = javascript(code)

    assert done.stdout.strip() in (b"EPERM", b"EACCES"), done
    # fetch() goes on to load an HTTP parser that is WebAssembly.
    assert done.status == "succeeded" or (not counts_memory(done) and "fetch" in code), done
    assert kinds(done)["network_denied"]["severity"] == "low"


def test_programs_it_starts_are_told(javascript):
    done = javascript("require('child_process').execFileSync('/bin/true')")

    assert kinds(done)["program_started"]["count"] == 1


def test_an_own_program_is_denied(javascript):
    done = javascript("require('fs').chmodSync('a.sh', 0o755)\n"
                      "require('child_process').execFileSync('./a.sh')",
                      files=[("a.sh", b"#!/bin/sh\necho x")])

    assert done.status == "failed" and "EACCES" in error(done)["message"]
    assert "program_denied" in kinds(done)
