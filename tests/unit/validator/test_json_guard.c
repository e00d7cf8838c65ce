#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "schema/status.h"
#include "tests/unit/validator/support.h"

TestSuite(json_guard, .timeout = 30);

static struct faults faults;

static int parse(const char *text, size_t length)
{
	own_json *value = NULL;

	return json_guard_parse(text, length, &value, &faults);
}

/* --- what is JSON ------------------------------------------------------------------------ */

static void same_as_jansson(const char *text)
{
	own_json *ours = NULL;
	own_json *theirs = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

	cr_assert(theirs != NULL, "%s", text);
	cr_assert(json_guard_parse(text, strlen(text), &ours, &faults) == 0, "%s: %s", text,
		  faults.list[0].detail);
	cr_assert(json_equal(ours, theirs) == 1, "%s", text);
}

Test(json_guard, reads_what_jansson_reads)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		" [ ] ",
		"\t{\r\n} ",
		"null",
		"true",
		"false",
		"0",
		"-0",
		"-1",
		"9223372036854775807",
		"-9223372036854775808",
		"0.5",
		"-1.5e3",
		"1E+2",
		"1e-400",
		"\"\"",
		"\"a\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\\u00e9\\u20ac\\ud83d\\ude00\"",
		"\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"",
		"[1,[2,[3,{\"a\":[4]}]],5]",
		"{\"a\":1,\"b\":{\"c\":[true,false,null]},\"d\":\"x\\ny\"}",
		"{\"\\u0061b\":\"\\u0063d\",\"x\":\"y\"}",
		"{\"\":0}",
	};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		same_as_jansson(texts[i]);
}

Test(json_guard, depth_64_is_read_and_65_is_not)
{
	char text[200];

	for (int depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		cr_expect_eq(parse(text, 2 * (size_t)depth) == 0, depth == LIMIT_JSON_DEPTH);
	}
	cr_expect_str_eq(faults.list[0].rule, "json-depth");
}

/* --- what is not, and how it is said ----------------------------------------------------- */

struct refusal {
	const char *text;
	const char *rule;
	const char *pointer;
	size_t line, column, offset;
};

static void check_refusal(const struct refusal *row)
{
	const struct fault *fault = &faults.list[0];

	cr_assert_eq(parse(row->text, strlen(row->text)), -EBADMSG, "%s", row->text);
	cr_assert_eq(faults.count, 1);
	cr_expect_str_eq(fault->rule, row->rule, "%s: %s", row->text, fault->rule);
	cr_expect_str_eq(fault->pointer, row->pointer, "%s: %s", row->text, fault->pointer);
	cr_expect(fault->line == row->line && fault->column == row->column &&
			  fault->offset == row->offset,
		  "%s: line %zu, column %zu, byte %zu", row->text, fault->line, fault->column,
		  fault->offset);
	cr_expect(strlen(fault->detail) > 20 && strlen(fault->hint) > 8, "%s", row->text);
}

Test(json_guard, says_where_and_why)
{
	static const struct refusal rows[] = {
		{"", "json-empty", "", 1, 1, 0},
		{"{\"a\":1,\n \"a\":2}", "json-duplicate-key", "/a", 2, 2, 9},
		{"{\"a\":[0,{\"b~\":1,\"b~\":2}]}", "json-duplicate-key", "/a/1/b~0", 1, 17,
		 16},
		{"{\"a\":[1,\"\\u0000\"]}", "json-nul", "/a/1", 1, 10, 9},
		{"[\"\\ud800\"]", "json-surrogate", "/0", 1, 3, 2},
		{"[\"\xC3\xA9\",\"\xFF\"]", "json-utf8", "/1", 1, 7, 7},
		{"[1,2", "json-truncated", "/2", 1, 5, 4},
		{"{", "json-truncated", "", 1, 2, 1},
		{"{\"a", "json-truncated", "/?", 1, 4, 3},
		{"{\"a\":nul", "json-truncated", "/a", 1, 9, 8},
		{"[1] 2", "json-trailing", "", 1, 5, 4},
		{"[1,]", "json-syntax", "/1", 1, 4, 3},
		{"{\"a\":1,}", "json-syntax", "", 1, 8, 7},
		{"{a:1}", "json-syntax", "", 1, 2, 1},
		{"[01]", "json-syntax", "/0", 1, 2, 1},
		{"[1e999]", "json-number", "/0", 1, 2, 1},
		{"[9223372036854775808]", "json-number", "/0", 1, 2, 1},
		{"[NaN]", "json-syntax", "/0", 1, 2, 1},
		{"\"a\nb\"", "json-syntax", "", 1, 3, 2},
		{"\xEF\xBB\xBF{}", "json-bom", "", 1, 1, 0},
		{"{\"a\" 1}", "json-syntax", "/a", 1, 6, 5},
		{"[\"\\x\"]", "json-syntax", "/0", 1, 3, 2},
		{"[\"\\u12g4\"]", "json-syntax", "/0", 1, 3, 2},
		{"-", "json-syntax", "", 1, 1, 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		check_refusal(&rows[i]);
}

Test(json_guard, every_prefix_of_a_document_is_refused)
{
	const char *text =
		"{\"a\":[1.5e3,\"x\\n\\u00e9\\ud83d\\ude00\",{\"b\":null}],\"c\":true}";

	for (size_t length = 0; length < strlen(text); length++)
		cr_expect_eq(parse(text, length), -EBADMSG, "%zu bytes", length);
	cr_expect_eq(parse(text, strlen(text)), 0);
}

Test(json_guard, a_nul_byte_anywhere_is_refused)
{
	const char *text = "{\"a\":[1,\"x\"]}";
	char broken[32];

	for (size_t at = 0; at < strlen(text); at++) {
		memcpy(broken, text, strlen(text));
		broken[at] = '\0';
		cr_expect_eq(parse(broken, strlen(text)), -EBADMSG);
		cr_expect_str_eq(faults.list[0].rule, "json-nul");
		cr_expect_eq(faults.list[0].offset, at);
	}
}

Test(json_guard, quoted_text_is_harmless)
{
	char long_key[5000];

	cr_assert_eq(parse("{\"\\u001b[31m\\u0085\":1,\"\\u001b[31m\\u0085\":2}", 40),
		     -EBADMSG);
	cr_expect(strchr(faults.list[0].detail, 0x1b) == NULL);
	(void)snprintf(long_key, sizeof(long_key), "{\"%4000d\":1,\"%4000d\":1}", 1, 1);
	cr_assert_eq(parse(long_key, strlen(long_key)), -EBADMSG);
	cr_expect(strlen(faults.list[0].pointer) < FAULT_POINTER_BYTES);
}

Test(json_guard, text_show_cuts_between_characters)
{
	char shown[8];

	cr_expect_str_eq(text_show(shown, sizeof(shown), "abcdefg", 7), "abcdefg");
	cr_expect_str_eq(text_show(shown, sizeof(shown), "abcdefgh", 8), "abcd...");
	cr_expect_str_eq(text_show(shown, sizeof(shown), "abc\xC3\xA9xyz", 8), "abc...");
	cr_expect_str_eq(text_show(shown, sizeof(shown), "\xFF\x01", 2), "??");
}

/* --- the torture set: the file's name begins with the problem's code --------------------- */

static void check_torture_file(const char *name)
{
	char path[512];
	char code[64] = "";
	size_t length;
	char *body;
	struct checked *checked;

	(void)snprintf(path, sizeof(path), "tests/api/torture/%s", name);
	(void)snprintf(code, sizeof(code), "%.*s", (int)(strstr(name, "--") - name), name);
	body = support_read(path, &length);
	checked = support_request_bytes(body, length, NULL);
	cr_expect_eq(checked->status, -EBADMSG, "%s was accepted", name);
	cr_expect_str_eq(problem_code(checked->bad.problem), code, "%s: %s", name,
			 checked->bad.detail);
	cr_expect(checked->bad.detail[0] != '\0' && checked->bad.hint[0] != '\0', "%s", name);
	checked_free(checked);
	free(body);
}

Test(json_guard, torture_set_is_refused_as_each_file_says)
{
	DIR *folder = opendir("tests/api/torture");
	const struct dirent *entry;
	int count = 0;

	cr_assert(folder != NULL);
	while ((entry = readdir(folder)) != NULL) {
		if (strstr(entry->d_name, ".json") == NULL)
			continue;
		check_torture_file(entry->d_name);
		count++;
	}
	(void)closedir(folder);
	cr_expect(count >= 100, "%d files", count);
}
