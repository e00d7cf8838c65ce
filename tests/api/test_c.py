"""C through the whole service: compiled, then run, each within limits of its own."""

import base64
import os
import subprocess

import pytest
from service import USERS, Service

pytestmark = [pytest.mark.may_skip, pytest.mark.skipif(
    not all(os.path.exists(path) for path in ("/usr/bin/gcc", "/usr/include/stdio.h")),
    reason="no compiler is installed")]

HELLO = '#include <stdio.h>\nint main(int n, char **a) { printf("%d %s\\n", n, a[n - 1]); }\n'
LOOP = "int main(void) { for (volatile int i = 0;; i++); }\n"
# A header in itself doubles its text with each level: the compiler never gets to an end.
ENDLESS = "\n".join(f"#define A{i} A{i - 1} A{i - 1}" for i in range(1, 40)) + "\n#define A0 1;\n" \
    "int main(void) { A39 }\n"


@pytest.fixture(scope="module", params=USERS)
def service(request):
    instance = Service(user=request.param, config={"runtimes": {
        "python": {"enabled": False}, "c": {"pool_low": 1, "pool_high": 2}}})
    try:
        yield instance.start()
    finally:
        instance.remove()


@pytest.fixture
def run(service):
    client = service.client()

    def run(code, **fields):
        answer = client.post({"language": "c", "code": code, **fields})
        assert answer.status == 200, answer
        return answer.json

    yield run
    client.close()


def test_it_is_listed(service):
    client = service.client()
    listed = {entry["name"]: entry for entry in client.get("/v1/runtimes").json["runtimes"]}
    client.close()

    assert listed["c"]["available"] and listed["c"]["version"][0].isdigit()


def test_success(run):
    document = run(HELLO, args=["a b"])

    assert (document["status"], document["stdout"], document["stderr"]) == (
        "succeeded", "2 a b\n", "")
    assert document["error"] is None and document["files"] == []
    # The compiler is no doing of the job's.
    assert "program_started" not in {event["kind"] for event in document["events"]}


def test_input_files_and_headers(run):
    code = ('#include <stdio.h>\n#include "mine.h"\nint main(void) {\n'
            '  int c; while ((c = getchar()) != EOF) putchar(c + SHIFT);\n'
            '  fputs("left", fopen("out.txt", "w")); return 4; }\n')
    document = run(code, stdin="HAL", files=[{"path": "mine.h", "content": "#define SHIFT 1\n"}])

    assert (document["status"], document["exit_code"], document["stdout"]) == ("failed", 4, "IBM")
    assert [entry["path"] for entry in document["files"]] == ["out.txt"]


def test_an_error_names_the_callers_own_line(run):
    document = run("int main(void)\n{\n\treturn nothing;\n}\n")

    assert (document["status"], document["exit_code"]) == ("failed", 1)
    assert document["error"]["name"] == "CompileError"
    assert document["error"]["message"].startswith("main.c:3:16: error: ")
    assert "main.c:3:16: error: " in document["stderr"] and "/tmp" not in document["stderr"]
    assert "return nothing" in document["error"]["traceback"]
    assert document["stdout"] == ""


def test_a_warning_is_seen_and_stops_nothing(run):
    document = run('#include <stdio.h>\nint main(void) { int x; puts("on"); return 0; }\n')

    assert (document["status"], document["stdout"]) == ("succeeded", "on\n")
    assert "main.c:2:22: warning: " in document["stderr"]


def test_a_flood_of_messages_is_cut(run):
    document = run("\n".join(f"int x{i} = y{i};" for i in range(3000)),
                   limits={"output_bytes": 1 << 20})

    assert document["status"] == "failed" and document["error"]["name"] == "CompileError"
    assert len(document["stderr"]) <= 65536


@pytest.mark.parametrize("code, signal", [
    ("int main(void) { *(volatile int *)0 = 1; }", "SIGSEGV"),
    ("#include <stdlib.h>\nint main(void) { abort(); }", "SIGABRT"),
])
def test_signals(run, code, signal):
    document = run(code)

    assert (document["status"], document["signal"]) == ("killed", signal)


def test_the_runs_limits_are_the_runs(run):
    """Compiling takes longer than both of these, and is not counted."""
    quick = run(HELLO, limits={"wall_ms": 25})

    assert quick["status"] == "succeeded" and quick["usage"]["wall_ms"] < 25, quick["usage"]
    for limit in ("wall_ms", "cpu_ms"):
        document = run(LOOP, limits={limit: 150})
        told = [event for event in document["events"] if event["kind"] == "limit_reached"]
        assert document["status"] == "timed_out" and limit in str(told), document


def test_a_compiler_that_eats_memory_is_stopped_by_the_jobs_limit(run):
    document = run(ENDLESS, limits={"memory_bytes": 64 << 20})

    assert document["status"] in ("memory_exceeded", "failed"), document
    assert run(HELLO)["status"] == "succeeded"


def test_memory_of_the_run(run):
    document = run("#include <stdlib.h>\n#include <string.h>\nint main(void) { for (;;) {\n"
                   "void *p = malloc(1 << 20); if (!p) return 1; memset(p, 1, 1 << 20); } }\n",
                   limits={"memory_bytes": 64 << 20})

    assert document["status"] in ("memory_exceeded", "failed"), document


def test_the_compiler_reads_nothing_of_the_host(run):
    document = run('#include "/etc/shadow"\nint main(void) { }\n')

    assert document["error"]["name"] == "CompileError"
    assert "No such file" in document["stderr"]
    assert "root:" not in document["stderr"]


def test_the_jobs_variables_are_not_the_compilers(run, tmp_path):
    """The loader and gcc take orders from variables: code of the job's would run in the compile
    step, before its clocks and unseen by its events."""
    source, library = tmp_path / "own.c", tmp_path / "own.so"
    source.write_text("#define _GNU_SOURCE\n#include <errno.h>\n#include <fcntl.h>\n"
                      "__attribute__((constructor)) static void here(void) {\n"
                      "  creat(program_invocation_short_name, 0600); }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    document = run(
        '#include <stdio.h>\n#include <stdlib.h>\n'
        'int main(void) { puts(getenv("GCC_EXEC_PREFIX")); }\n',
        env={"LD_PRELOAD": "/workspace/own.so", "GCC_EXEC_PREFIX": "/workspace/",
             "DEPENDENCIES_OUTPUT": "/workspace/list"},
        files=[{"path": "own.so", "encoding": "base64",
                "content": base64.b64encode(library.read_bytes()).decode()}])

    assert (document["status"], document["stdout"]) == ("succeeded", "/workspace/\n"), document
    assert [entry["path"] for entry in document["files"]] == ["main"]


def test_what_it_may_not_do_is_told(run):
    document = run("#include <sys/socket.h>\nint main(void) { return socket(2, 1, 0) >= 0; }\n")

    assert document["status"] == "succeeded"
    assert [event["kind"] for event in document["events"]] == ["network_denied"]


def test_nothing_is_left_of_it_for_the_next(run):
    run(HELLO)
    document = run('#include <dirent.h>\n#include <stdio.h>\nint main(void) {\n'
                   'DIR *d = opendir("/tmp"); struct dirent *e;\n'
                   'while ((e = readdir(d))) if (e->d_name[0] != \'.\') puts(e->d_name); }\n')

    assert sorted(document["stdout"].split()) == ["main", "main.c"]
