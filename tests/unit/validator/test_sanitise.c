#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/validator/support.h"
#include "validator/sanitise.h"

TestSuite(sanitise, .timeout = 30);

/* What was said of a document, as {"sanitised": [...]}; a second run must change nothing. */
static json_t *clean(json_t *document, bool is_read)
{
	own_sanitised first = {.count = 0};
	own_sanitised again = {.count = 0};
	own_json *before = NULL;
	json_t *said = NULL;
	own_buf text;
	struct jsonw json;

	cr_assert_eq(sanitise(document, is_read, &first, NULL), 0);
	before = json_deep_copy(document);
	cr_assert_eq(sanitise(document, is_read, &again, NULL), 0);
	cr_expect(json_equal(before, document), "the second time changed something");
	buf_init(&text, LIMIT_SANITISED_BYTES);
	jsonw_init(&json, &text);
	jsonw_object_open(&json);
	sanitised_write(&json, &first);
	jsonw_object_close(&json);
	cr_assert_eq(buf_check(&text, NULL), 0);
	said = json_loadb(text.data, text.length, 0, NULL);
	cr_assert_not_null(said, "%s", text.data);
	return said;
}

/* "pointer change" of each entry, one a line. */
static void expect_said(const json_t *said, const char *want)
{
	char got[4096] = "";
	size_t length = 0;
	size_t index;
	const json_t *entry;

	json_array_foreach(json_object_get(said, "sanitised"), index, entry) length +=
		(size_t)snprintf(got + length, sizeof(got) - length, "%s %s\n",
				 json_string_value(json_object_get(entry, "pointer")),
				 json_string_value(json_object_get(entry, "change")));
	cr_expect_str_eq(got, want);
}

static json_t *request(const char *language, const char *code)
{
	return json_pack("{ssss}", "language", language, "code", code);
}

static void expect_code(const char *language, const char *code, const char *want,
			const char *said)
{
	own_json *document = request(language, code);
	own_json *got = clean(document, true);

	cr_expect_str_eq(json_string_value(json_object_get(document, "code")), want);
	expect_said(got, said);
}

Test(sanitise, ordinary_code_stays_as_it_is)
{
	static const char *const codes[] = {"",	    "print(1)\n",    "a\r\nb\n",      "\r",
					    "a\rb", "x\xEF\xBB\xBF", "\t\f\n\xC3\xA9"};

	for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
		expect_code("python", codes[i], codes[i], "");
		expect_code("bash", codes[i], codes[i], "");
	}
	expect_code("python", "a\r\nb\r\n", "a\r\nb\r\n", "");
}

Test(sanitise, byte_order_marks_go)
{
	expect_code("python", "\xEF\xBB\xBFx", "x", "/code byte_order_mark_removed\n");
	expect_code("javascript", "\xEF\xBB\xBF\xEF\xBB\xBFx\xEF\xBB\xBF", "x\xEF\xBB\xBF",
		    "/code byte_order_mark_removed\n");
	expect_code("bash", "\xEF\xBB\xBF", "", "/code byte_order_mark_removed\n");
}

Test(sanitise, line_ends_of_a_script_are_unified_where_they_all_are_alike)
{
	expect_code("bash", "a\r\nb\r\n", "a\nb\n", "/code line_ends_unified\n");
	expect_code("bash", "a\r\n\r\n\r\nb", "a\n\n\nb", "/code line_ends_unified\n");
	expect_code("bash", "\xEF\xBB\xBF\r\n", "\n",
		    "/code byte_order_mark_removed\n/code line_ends_unified\n");
	expect_code("bash", "a\r\r\nb\r\n", "a\r\r\nb\r\n", "");
	expect_code("bash", "a\r\nb\n", "a\r\nb\n", "");
	expect_code("bash", "a\r\nb\r", "a\r\nb\r", "");
}

Test(sanitise, paths_lose_their_dots_if_they_are_good_then)
{
	static const struct {
		const char *path, *want;
	} rows[] = {{"a", "a"},
		    {"./a", "a"},
		    {"././a/./b", "a/b"},
		    {"a/./b", "a/b"},
		    {"a/.", "a/."},
		    {".", "."},
		    {"./", "./"},
		    {"./.", "./."},
		    {".//a", ".//a"},
		    {"./../a", "./../a"},
		    {"./a//b", "./a//b"},
		    {"./a/", "./a/"},
		    {".a/..b/c.", ".a/..b/c."},
		    {"/./a", "/./a"},
		    {"./\n", "./\n"}};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		bool is_same = strcmp(rows[i].path, rows[i].want) == 0;
		own_json *document =
			json_pack("{sssss[{ssss}]}", "language", "python", "code", "1", "files",
				  "path", rows[i].path, "content", "\xEF\xBB\xBFx\r\n");
		own_json *said = clean(document, true);
		const json_t *file = json_array_get(json_object_get(document, "files"), 0);

		cr_expect_str_eq(json_string_value(json_object_get(file, "path")),
				 rows[i].want);
		cr_expect_str_eq(json_string_value(json_object_get(file, "content")),
				 "\xEF\xBB\xBFx\r\n", "a file's content is the caller's");
		expect_said(said, is_same ? "" : "/files/0/path path_normalised\n");
	}
}

Test(sanitise, a_path_that_becomes_too_short_or_was_too_long_is_no_matter)
{
	char path[LIMIT_PATH_BYTES + 2];

	memset(path, 'a', sizeof(path));
	for (size_t i = 0; i + 1 < sizeof(path); i += 2)
		memcpy(path + i, "./", 2);
	for (size_t length = sizeof(path) - 4; length < sizeof(path); length++) {
		own_json *document =
			json_pack("{sssss[{ss#ss}]}", "language", "python", "code", "1",
				  "files", "path", path, (int)length, "content", "");
		own_json *said = clean(document, true);

		cr_expect_leq(json_array_size(json_object_get(said, "sanitised")), 1);
	}
}

Test(sanitise, deceiving_text_is_told_and_kept)
{
	own_json *document = support_json(
		"{'language':'c','code':'/*\xE2\x80\xAE*/\\u0007','args':['ok\\n','\\u001b[2J',"
		"'\xE2\x81\xA6x'],'env':{'A':'\xE2\x80\xAA','LD_PRELOAD':'x','LDX':'y',"
		"'BASH_ENV':'z','BASH_ENVX':'','PYTHONPATH':'.'},"
		"'files':[{'path':'a','content':'\xE2\x80\xAE'},"
		"{'path':'\xE2\x80\xAEtxt.exe','content':''}],'stdin':'\\u0001'}");
	own_json *before = json_deep_copy(document);
	own_json *said = clean(document, false);

	cr_expect(json_equal(before, document));
	expect_said(said, "/code direction_kept\n/code control_kept\n"
			  "/files/1/path direction_kept\n"
			  "/args/1 control_kept\n/args/2 direction_kept\n"
			  "/env/A direction_kept\n/env/LD_PRELOAD steering_kept\n"
			  "/env/BASH_ENV steering_kept\n/env/PYTHONPATH steering_kept\n");
}

Test(sanitise, code_that_rules_read_is_left_to_them)
{
	expect_code("python", "x = '\xE2\x80\xAE\x07'", "x = '\xE2\x80\xAE\x07'", "");
}

Test(sanitise, nulls_are_what_is_left_out)
{
	own_json *document = support_json("{'language':'bash','code':'1','files':null,"
					  "'args':null,'env':null,'stdin':null}");
	own_json *said = clean(document, true);

	expect_said(said, "");
}

Test(sanitise, every_change_is_listed_and_remarks_are_bounded)
{
	own_json *document = request("bash", "\xEF\xBB\xBF"
					     "a\r\n");
	json_t *files = json_array();
	json_t *args = json_array();
	own_json *said = NULL;
	const json_t *list;
	char path[32];

	for (int i = 0; i < LIMIT_FILES; i++) {
		(void)snprintf(path, sizeof(path), "./%d\xE2\x80\xAE", i);
		json_array_append_new(files, json_pack("{ssss}", "path", path, "content", ""));
	}
	for (int i = 0; i < LIMIT_ARGS; i++)
		json_array_append_new(args, json_string("\x1b"));
	json_object_set_new(document, "files", files);
	json_object_set_new(document, "args", args);

	said = clean(document, true);
	list = json_object_get(said, "sanitised");
	cr_expect_eq(json_array_size(list), LIMIT_SANITISED + 1);
	cr_expect_str_eq(
		json_string_value(json_object_get(json_array_get(list, 257), "change")),
		"path_normalised");
	cr_expect_str_eq(json_string_value(json_object_get(
				 json_array_get(list, LIMIT_SANITISED), "detail")),
			 "450 more were passed on as they are");
}
