"""`casemate schema check`: exit codes, remote documents, output formats, hostile input, and the
schema library in a program that is not the service."""

import json
import os
import resource
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
VARIANT = os.environ.get("VARIANT", "release")
BUILD = ROOT / "build" / VARIANT
CASEMATE = BUILD / "bin" / "casemate"
CASES = sorted((ROOT / "tests/unit/validator/schemas").glob("*.json"))
VALID, INVALID, UNUSABLE = 0, 1, 2


def text_of(document):
    return document if isinstance(document, (str, bytes)) else json.dumps(document)


# Processor seconds and bytes of one check, far above what any takes: 0.7 s and 72 MiB at most.
# Sanitizers reserve terabytes.
BOUNDS = {resource.RLIMIT_CPU: 60, **({resource.RLIMIT_AS: 1 << 30} if VARIANT in ("release", "test") else {})}


def bound():
    for kind, most in BOUNDS.items():
        resource.setrlimit(kind, (most, most))


@pytest.fixture
def check(tmp_path):
    def run(schema, instance, *options):
        for name, document in (("schema", schema), ("instance", instance)):
            content = text_of(document)
            (tmp_path / name).write_bytes(
                content if isinstance(content, bytes) else content.encode())
        return subprocess.run(
            [CASEMATE, "schema", "check", *options, tmp_path / "schema", tmp_path / "instance"],
            capture_output=True, text=True, preexec_fn=bound)
    return run


def error_of(done):
    assert done.returncode == INVALID, done
    return json.loads(done.stdout)["errors"][0]


def test_exit_codes(check):
    assert check({"type": "string"}, '"x"').returncode == VALID
    done = check({"type": "string"}, "1")
    assert done.returncode == INVALID
    assert "expected a string, got an integer" in done.stderr
    for schema, instance in (({"type": "text"}, "1"), ("{", "1"), ({}, "{"), ({}, ""),
                             ({}, '{"a":1,"a":2}'), ({}, b'"\xff"'), ({}, "1e999"), (3, "1")):
        done = check(schema, instance)
        assert done.returncode == UNUSABLE and done.stderr.startswith("casemate: "), done


@pytest.mark.parametrize("arguments", [
    [], ["check"], ["check", "a"], ["check", "a", "b", "c"], ["judge"], ["check", "--what"],
    ["check", "--remotes"], ["check", "--remotes", "x", "a", "b"],
    ["check", "--remotes", "http://x=/does/not/exist", "a", "b"], ["check", "--output", "xml"],
    ["check", "/does/not/exist", "/does/not/exist"]])
def test_wrong_usage_is_unusable(arguments):
    done = subprocess.run([CASEMATE, "schema", *arguments], capture_output=True, text=True)
    assert done.returncode == UNUSABLE and done.stderr != ""


def test_help_and_standard_input(tmp_path):
    done = subprocess.run([CASEMATE, "schema", "check", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--remotes BASE=DIR" in done.stdout
    (tmp_path / "s").write_text('{"const": 5}')
    for value, code in (("5.0", VALID), ("6", INVALID)):
        assert subprocess.run([CASEMATE, "schema", "check", tmp_path / "s", "-"], text=True,
                              input=value, capture_output=True).returncode == code


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_own_case_through_the_command(path, tmp_path, check):
    """The first good and the first bad instance of each; the unit tests take all of them."""
    for number, group in enumerate(json.loads(path.read_text())):
        folder = tmp_path / str(number)
        folder.mkdir()
        for uri, document in group.get("remotes", {}).items():
            file = folder / uri.removeprefix("http://case.example/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(document))
        options = ["--remotes", f"http://case.example={folder}"]
        options += ["--formats"] if group.get("formats") else []
        if "refused" in group:
            done = check(group["schema"], "1", *options)
            assert done.returncode == UNUSABLE and group["refused"] in done.stderr, group
            continue
        for wanted in (True, False):
            for test in [test for test in group["tests"] if test["valid"] is wanted][:1]:
                done = check(group["schema"], test["data"] if not isinstance(test["data"], str)
                             else json.dumps(test["data"]), *options)
                assert done.returncode == (VALID if wanted else INVALID), (group, test, done)


FORMATS = ("date-time date time duration email hostname ipv4 ipv6 uri uri-reference uuid json-pointer regex").split()


def keywords_of(schema):
    if isinstance(schema, dict):
        yield from schema
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from keywords_of(value)


def test_our_cases_have_every_keyword_and_every_format_both_ways():
    """The public suite that lies beside the project has not all of its files."""
    found = {}
    for group in (group for path in CASES for group in json.loads(path.read_text())):
        names = set(keywords_of(group["schema"])) | set(keywords_of(group.get("remotes", {})))
        if group.get("formats") and isinstance(group["schema"], dict):
            names.add(f"format {group['schema'].get('format')}")
        for name in names:
            found.setdefault(name, set()).update(test["valid"] for test in group.get("tests", []))
    vocabularies = ("core", "applicator", "unevaluated", "validation", "format-annotation")
    keywords = {keyword for name in vocabularies for keyword in json.loads(
        (ROOT / f"schema/draft2020-12/{name}.json").read_text())["properties"]} - {"$comment"}

    assert len(keywords) > 40
    assert {name for name in keywords | {f"format {name}" for name in FORMATS}
            if found.get(name) != {True, False}} == set()


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_an_assertion_where_it_is_asked_for(check, name):
    for options, code in (([], VALID), (["--formats"], INVALID)):
        assert check({"format": name}, '"[\\u0000 ("', *options).returncode == code


def test_several_folders_of_remote_documents(check, tmp_path):
    for name, kind in (("one", "integer"), ("two", "string")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t").write_text(json.dumps({"type": kind}))
    both = ["--remotes", f"http://h/1={tmp_path / 'one'}", "--remotes", f"http://h/2={tmp_path / 'two'}"]
    schema = {"prefixItems": [{"$ref": "http://h/1/t"}, {"$ref": "http://h/2/t"}]}
    assert check(schema, '[1, "x"]', *both).returncode == VALID
    assert check(schema, '["x", "x"]', *both).returncode == INVALID
    assert check(schema, '[1, "x"]', *both[:2]).returncode == UNUSABLE


def test_remote_documents_come_from_their_folder_only(check, tmp_path):
    folder = tmp_path / "remotes"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "n b.json").write_text('{"type": "integer"}')
    (tmp_path / "outside.json").write_text("{}")
    inside = ["--remotes", f"http://h/x/={folder}"]
    assert check({"$ref": "http://h/x/a/n%20b.json"}, "1", *inside).returncode == VALID
    assert check({"$ref": "http://h/x/a/n%20b.json"}, '"1"', *inside).returncode == INVALID
    for uri in ("http://h/x/../outside.json", "http://h/x/a/%2e%2e/%2e%2e/outside.json",
                "http://h/x/%2Fetc/passwd", "http://h/xa/n%20b.json", "http://h/x/a",
                "http://h/x/", "http://h/x/a/n%00b.json", "file:///etc/passwd", "outside.json",
                "http://127.0.0.1:1/none.json"):
        done = check({"$ref": uri}, "1", *inside)
        assert done.returncode == UNUSABLE and "/$ref" in done.stderr, (uri, done)


def test_output_formats(check):
    schema = {"$id": "http://case.example/s", "properties": {"a": {"$ref": "#/$defs/n"},
              "b": {"anyOf": [{"type": "null"}, {"minimum": 5}]}}, "$defs": {"n": {"type": "integer"}}}
    instance = {"a": "x", "b": 1}
    flag = json.loads(check(schema, instance, "--output", "flag").stdout)
    assert flag == {"valid": False}
    basic = json.loads(check(schema, instance, "--output", "basic").stdout)
    assert basic["valid"] is False and len(basic["errors"]) == 4
    assert basic["errors"][0] == {
        "keywordLocation": "/properties/a/$ref/type",
        "absoluteKeywordLocation": "http://case.example/s#/$defs/n/type",
        "instanceLocation": "/a", "keyword": "type",
        "error": "expected an integer, got a string", "hint": "Send an integer without quotes."}
    detailed = json.loads(check(schema, instance, "--output", "detailed").stdout)
    assert [error["keyword"] for error in detailed["errors"]] == ["type", "anyOf"]
    assert [error["keywordLocation"] for error in detailed["errors"][1]["errors"]] == [
        "/properties/b/anyOf/0/type", "/properties/b/anyOf/1/minimum"]
    assert json.loads(check(schema, {}, "--output", "detailed").stdout)["valid"] is True


def test_hints_name_what_was_meant(check):
    schema = {"properties": {"wall_ms": {"type": "integer"}, "mode": {"enum": ["fast", "slow"]}},
              "additionalProperties": False, "required": ["wall_ms"]}
    done = check(schema, {"wal_ms": 1}, "--output", "basic")
    assert {error["keyword"]: error["hint"] for error in json.loads(done.stdout)["errors"]} == {
        "required": 'Add "wall_ms"; did you write "wal_ms" for it?',
        "additionalProperties": 'Remove "wal_ms"; did you mean "wall_ms"?'}
    error = error_of(check(schema, {"wall_ms": "1"}, "--output", "basic"))
    assert error["hint"] == "Send an integer without quotes."
    error = error_of(check(schema, {"wall_ms": 1, "mode": "fats"}, "--output", "basic"))
    assert error["hint"] == 'Send one of ["fast","slow"]; did you mean "fast"?'


@pytest.mark.parametrize("schema, instance, text", [
    ({"multipleOf": 0.1}, "0.15", "0.15 is no multiple of 0.1. Send a multiple of 0.1."),
    ({"maximum": 0.3}, "0.30000000000000004", "0.30000000000000004 is above the maximum of 0.3."),
    ({"minimum": 2.5e-7}, "1e-9", "1e-9 is below the minimum of 2.5e-7."),
    ({"const": 1.5}, "2.5", "must be 1.5."), ({"minimum": 3}, "1", "1 is below the minimum of 3.")])
def test_numbers_are_shown_as_they_were_written(check, schema, instance, text):
    done = check(schema, instance)
    assert done.returncode == INVALID and text in done.stderr, done


def test_annotations_are_those_of_schemas_that_hold(check):
    schema = {"title": "t", "x-own": [1], "properties": {
        "a": {"contentEncoding": "base64", "format": "ipv4", "contentSchema": {"type": "object"}}},
        "anyOf": [{"type": "string", "description": "no"}, {"description": "yes"}],
        "not": {"required": ["z"], "description": "never"}}
    done = json.loads(check(schema, {"a": "x"}, "--output", "basic", "--annotations").stdout)
    found = {note["keywordLocation"]: note["annotation"] for note in done["annotations"]}
    assert found == {"/title": "t", "/x-own": [1], "/anyOf/1/description": "yes",
                     "/properties/a/contentEncoding": "base64", "/properties/a/format": "ipv4",
                     "/properties/a/contentSchema": {"type": "object"}}


def nested(count, opening, inner, closing):
    return opening * count + inner + closing * count


DOUBLING = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}, {"$ref": f"#/$defs/d{i + 1}"}]}
            for i in range(60)} | {"d60": {"type": "integer"}}
MARKS = {f"m{i}": {"anyOf": [{"$ref": f"#/$defs/m{i + 1}"}, {"$ref": f"#/$defs/m{i + 1}"}],
                   "unevaluatedProperties": {"type": "integer"}}
         for i in range(60)} | {"m60": {"properties": {"a": True}}}

# Undecided (2) or judged, never waited for: each would take hours, or all memory, without limits.
HOSTILE = {
    "deep instance": ({"items": {"$ref": "#"}}, nested(100000, "[", "", "]"), {UNUSABLE}),
    "deep instance that parses": ({"items": {"$ref": "#"}}, nested(2000, "[", "", "]"),
                                  {UNUSABLE}),
    "deep instance that is fine": ({"items": {"$ref": "#"}}, nested(900, "[", "", "]"), {VALID}),
    "deep schema": (nested(100000, '{"not":', "{}", "}"), "1", {UNUSABLE}),
    "deep schema that parses": (nested(1000, '{"not":', "{}", "}"), "1", {UNUSABLE}),
    "wide instance": ({"uniqueItems": True, "items": {"type": "integer"}},
                      json.dumps(list(range(100000))), {VALID}),
    "wide instance with many faults": ({"items": {"type": "string"}},
                                       json.dumps(list(range(100000))), {INVALID}),
    "too many values": ({}, "[" + "1," * 4000001 + "1]", {UNUSABLE}),
    "too many schemas": ({"allOf": [{}] * 70000}, "1", {UNUSABLE}),
    "doubling references": ({"$ref": "#/$defs/d0", "$defs": DOUBLING}, "1", {UNUSABLE}),
    "doubling references, stopped by the first": ({"$ref": "#/$defs/d0", "$defs": DOUBLING},
                                                  '"x"', {INVALID}),
    "doubling marks": ({"$ref": "#/$defs/m0", "$defs": MARKS}, '{"a":1,"b":2}', {UNUSABLE}),
    "endless reference": ({"$ref": "#"}, "1", {UNUSABLE}),
    "endless in turns": ({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]},
                          "b": {"not": {"$ref": "#/$defs/a"}}}}, "1", {UNUSABLE}),
    "endless dynamic reference": ({"$dynamicAnchor": "x", "$dynamicRef": "#x"}, "1", {UNUSABLE}),
    "exploding pattern": ({"pattern": "^(a+)+$"}, json.dumps("a" * 60 + "b"), {UNUSABLE}),
    "exploding pattern, negated": ({"not": {"pattern": "^(a|a)*$"}}, json.dumps("a" * 60 + "b"),
                                   {UNUSABLE}),
    "exploding pattern of a member": ({"patternProperties": {"^(a+)+$": False}},
                                      json.dumps({"a" * 60 + "b": 1}), {UNUSABLE}),
    "quadratic pattern": ({"pattern": "a[^b]*b"}, json.dumps("a" * 2000000), {UNUSABLE}),
    "many slow patterns": ({"items": {"not": {"pattern": "(x+x+)+[yz]"}}},
                           json.dumps(["x" * 14] * 100000), {UNUSABLE}),
    "pattern of references": ({"pattern": "^(a*)*\\1*\\1*\\1*$"}, json.dumps("a" * 500 + "b"),
                              {UNUSABLE}),
    "huge repeat": ({"pattern": "(((a{1000}){1000}){1000}){1000}"}, '"a"', {UNUSABLE}),
    "deep pattern": ({"pattern": nested(10000, "(", "a", ")")}, '"a"', {UNUSABLE}),
    "enum against an array": ({"items": {"enum": list(range(30000))}},
                              json.dumps([-1] * 30000), {INVALID, UNUSABLE}),
    "enum that never fits": ({"items": {"not": {"enum": list(range(30000))}}},
                             json.dumps([-1] * 30000), {UNUSABLE}),
    "many patterns": ({"allOf": [{"pattern": "[\\s\\S]" * 3000}] * 100}, '"a"', {UNUSABLE}),
    "many schemas": ({"properties": {f"p{i}": {"items": {"type": "string"}} for i in range(25000)}},
                     '{"p7": [1]}', {INVALID}),
    "way that is longer than its text": (
        {"$defs": {"\u00e9" * 100: {"items": {"$ref": "#/$defs/" + "%C3%A9" * 100}, "maxItems": 1}},
         "$ref": "#/$defs/" + "%C3%A9" * 100}, nested(400, "[", "1,2", "]"), {INVALID}),
    "long number": ({"multipleOf": 7}, "9" * 100000, {UNUSABLE}),
    "many anchors": ({"$defs": {f"a{i}": {"$anchor": f"a{i}"} for i in range(3000)}}, "1",
                     {UNUSABLE}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_ends(check, name):
    schema, instance, codes = HOSTILE[name]
    done = check(schema, instance)
    assert done.returncode in codes, (done.returncode, done.stderr[:500])
    for output in ("basic", "detailed") if done.returncode == INVALID else ():
        told = check(schema, instance, "--output", output)
        assert told.returncode == INVALID and json.loads(told.stdout)["errors"]
    assert done.returncode != UNUSABLE or done.stderr.startswith("casemate: "), done.stderr[:500]


# With nothing but the installed headers and the archive: no other file of the checkout.
PROGRAM = r"""
#include <stdio.h>
#include "validator/schema.h"

int main(void)
{
	json_t *document = json_loads("{\"required\": [\"a\"]}", 0, NULL);
	json_t *instance = json_loads("{\"b\": 1}", 0, NULL);
	own_schema *schema = NULL;
	own_schema_report report;
	struct err err = {0};

	schema_report_init(&report);
	if (schema_compile(document, 0, &schema, &err) < 0)
		return fprintf(stderr, "%s\n", err.text), 3;
	if (schema_judge(schema, instance, &report) != SCHEMA_INVALID)
		return 4;
	printf("%s %s\n", report.errors[0].location, report.errors[0].text);
	json_decref(instance);
	json_decref(document);
	return 0;
}
"""
SANITIZED = {"asan": ["-fsanitize=address"], "ubsan": ["-fsanitize=undefined"],
             "tsan": ["-fsanitize=thread"], "coverage": ["--coverage"]}


def test_the_library_works_outside_the_service(tmp_path):
    makefile = (ROOT / "Makefile").read_text()
    headers = makefile.split("SCHEMA_HEADERS := ")[1].split("\n")[0].split()
    for header in headers:
        (tmp_path / header).parent.mkdir(exist_ok=True)
        (tmp_path / header).write_bytes((ROOT / header).read_bytes())
    (tmp_path / "program.c").write_text(PROGRAM)
    subprocess.run(["cc", "-Wall", "-Werror", "-I", tmp_path, "-o", tmp_path / "program",
                    *SANITIZED.get(VARIANT, []), tmp_path / "program.c",
                    BUILD / "libcasemate-schema.a", "-ljansson", "-lpcre2-8"], check=True)
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, '#/required "a" is missing\n'), done
