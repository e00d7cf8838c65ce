#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "schema/bundle.h"
#include "tests/unit/validator/support.h"
#include "validator/base64.h"
#include "validator/paths.h"

TestSuite(request, .timeout = 30);

#define CODE "{'language':'python','code':'print(1)'"

static void expect_good(const char *text)
{
	struct checked *checked = support_request(text, NULL);

	cr_expect_eq(checked->status, 0, "%s: %s", text, checked->bad.detail);
	checked_free(checked);
}

static void expect_bad(const char *text, const char *pointer, const char *rule)
{
	struct checked *checked = support_request(text, NULL);

	cr_assert_eq(checked->status, -EBADMSG, "%s", text);
	cr_expect_eq(checked->bad.problem, PROBLEM_INVALID, "%s", text);
	cr_expect(has_fault(&checked->faults, pointer, rule), "%s: %s %s", text,
		  checked->faults.list[0].pointer, checked->faults.list[0].rule);
	checked_free(checked);
}

static struct bundle_entry entry_at(const struct checked *checked, size_t index)
{
	struct span span = {.data = checked->payload.data, .length = checked->payload.length};
	struct bundle_reader reader;
	struct bundle_entry entry = {0};

	bundle_reader_init(&reader, &span);
	for (size_t i = 0; i <= index; i++)
		if (bundle_next(&reader, &entry, NULL) != 1)
			return (struct bundle_entry){0};
	return entry;
}

static void expect_entry(const struct checked *checked, size_t index, int kind,
			 const char *name, const char *data, size_t length)
{
	struct bundle_entry entry = entry_at(checked, index);

	cr_assert_eq(entry.kind, kind, "entry %zu", index);
	cr_expect(entry.name_length == strlen(name) &&
		  memcmp(entry.name, name, entry.name_length) == 0);
	cr_expect(entry.length == length && memcmp(entry.data, data, length) == 0);
}

Test(request, becomes_a_typed_job_and_a_payload)
{
	struct checked *checked = support_request(
		CODE ",'stdin':'in','args':['a','b c'],'env':{'N':'v'},'files':["
		     "{'path':'d/t.txt','content':'text'},"
		     "{'path':'b','content':'AP8=','encoding':'base64'}],"
		     "'limits':{'wall_ms':1234,'processes':2.0}}",
		NULL);

	cr_assert_eq(checked->status, 0, "%s", checked->bad.detail);
	cr_expect_str_eq(checked->good.language, "python");
	cr_expect_eq(checked->good.wall_ms, 1234);
	cr_expect_eq(checked->good.processes, 2);
	cr_expect_eq(checked->good.memory_bytes, 0);
	cr_expect_eq(checked->good.code_bytes, 8);
	cr_expect(memcmp(checked->payload.data + checked->good.code_offset, "print(1)", 8) ==
		  0);
	expect_entry(checked, 0, BUNDLE_CODE, "", "print(1)", 8);
	expect_entry(checked, 1, BUNDLE_STDIN, "", "in", 2);
	expect_entry(checked, 2, BUNDLE_ARG, "", "a", 1);
	expect_entry(checked, 3, BUNDLE_ARG, "", "b c", 3);
	expect_entry(checked, 4, BUNDLE_ENV, "N", "v", 1);
	expect_entry(checked, 5, BUNDLE_FILE, "d/t.txt", "text", 4);
	expect_entry(checked, 6, BUNDLE_FILE, "b", "\0\xFF", 2);
	cr_expect_eq(entry_at(checked, 7).kind, 0);
	checked_free(checked);
}

Test(request, null_means_default_everywhere)
{
	struct checked *checked = support_request(
		CODE ",'stdin':null,'args':null,'env':null,'files':null,'limits':null}", NULL);
	struct checked *inner = support_request(
		CODE
		",'files':[{'path':'a','content':'','encoding':null}],'limits':{'wall_ms':null,"
		"'cpu_ms':null,'memory_bytes':null,'output_bytes':null,'processes':null,"
		"'open_files':null,'workspace_bytes':null}}",
		NULL);

	cr_expect_eq(checked->status, 0);
	cr_expect_eq(checked->good.wall_ms, 0);
	cr_expect_eq(inner->status, 0);
	cr_expect_eq(inner->good.workspace_bytes, 0);
	checked_free(checked);
	checked_free(inner);
}

Test(request, limits_at_their_edges)
{
	static const struct {
		const char *name;
		unsigned long long low, high;
	} rows[] = {
		{"wall_ms", LIMIT_WALL_MS_MIN, LIMIT_WALL_MS_MAX},
		{"cpu_ms", LIMIT_CPU_MS_MIN, LIMIT_CPU_MS_MAX},
		{"memory_bytes", LIMIT_MEMORY_BYTES_MIN, LIMIT_MEMORY_BYTES_MAX},
		{"output_bytes", LIMIT_OUTPUT_BYTES_MIN, LIMIT_OUTPUT_BYTES_MAX},
		{"processes", LIMIT_PROCESSES_MIN, LIMIT_PROCESSES_MAX},
		{"open_files", LIMIT_OPEN_FILES_MIN, LIMIT_OPEN_FILES_MAX},
		{"workspace_bytes", LIMIT_WORKSPACE_BYTES_MIN, LIMIT_WORKSPACE_BYTES_MAX},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const unsigned long long values[] = {rows[i].low - 1, rows[i].low, rows[i].high,
						     rows[i].high + 1};

		for (size_t k = 0; k < ARRAY_COUNT(values); k++) {
			char text[200];
			char pointer[64];

			(void)snprintf(text, sizeof(text), CODE ",'limits':{'%s':%llu}}",
				       rows[i].name, values[k]);
			(void)snprintf(pointer, sizeof(pointer), "/limits/%s", rows[i].name);
			if (k == 1 || k == 2)
				expect_good(text);
			else
				expect_bad(text, pointer, k == 0 ? "minimum" : "maximum");
		}
	}
}

Test(request, a_ceiling_is_named_with_tenant_and_value)
{
	struct check_request ask = support_ask();
	struct checked *checked;

	ask.wall_ms = 2000;
	checked = support_request(CODE ",'limits':{'wall_ms':2001,'cpu_ms':300000}}", &ask);
	cr_assert_eq(checked->status, -EBADMSG);
	cr_expect_eq(checked->bad.problem, PROBLEM_ABOVE_CEILING);
	cr_expect_eq(checked->faults.count, 1);
	cr_expect_str_eq(checked->faults.list[0].pointer, "/limits/wall_ms");
	cr_expect(strstr(checked->bad.detail, "dev") != NULL);
	cr_expect(strstr(checked->bad.detail, "2000") != NULL);
	cr_expect(strstr(checked->bad.hint, "2000") != NULL);
	checked_free(checked);

	checked = support_request(CODE ",'limits':{'wall_ms':2000}}", &ask);
	cr_expect_eq(checked->status, 0);
	checked_free(checked);
	checked = support_request(CODE "}", &ask);
	cr_expect_eq(checked->status, 0);
	checked_free(checked);
}

Test(request, every_fault_is_listed)
{
	struct checked *checked = support_request("{'language':5,'cod':'x','args':[1]}", NULL);

	cr_expect(has_fault(&checked->faults, "/language", "type"));
	cr_expect(has_fault(&checked->faults, "/cod", "additionalProperties"));
	cr_expect(has_fault(&checked->faults, "/args/0", "type"));
	cr_expect(has_fault(&checked->faults, "/code", "required"));
	cr_expect(strstr(checked->bad.detail, "more") != NULL);
	checked_free(checked);
}

Test(request, names_that_callers_confuse_are_explained)
{
	struct checked *checked = support_request(CODE ",'timeout':5}", NULL);

	cr_expect(strstr(checked->bad.hint, "wall_ms") != NULL, "%s", checked->bad.hint);
	checked_free(checked);
	checked = support_request(CODE ",'limits':{'wallms':5}}", NULL);
	cr_expect(strstr(checked->bad.hint, "did you mean \"wall_ms\"?") != NULL, "%s",
		  checked->bad.hint);
	checked_free(checked);
}

Test(request, sizes_count_bytes)
{
	char *text = malloc(2 * LIMIT_CODE_BYTES + 100);
	int head = snprintf(text, 100, "{\"language\":\"python\",\"code\":\"");
	struct checked *checked;

	for (size_t i = 0; i < LIMIT_CODE_BYTES / 2; i++)
		memcpy(text + head + 2 * i, "\xC3\xA9", 2);
	memcpy(text + head + LIMIT_CODE_BYTES, "\"}", 3);
	checked = support_request_bytes(text, strlen(text), NULL);
	cr_expect_eq(checked->status, 0);
	checked_free(checked);
	memcpy(text + head + LIMIT_CODE_BYTES, "x\"}", 4);
	checked = support_request_bytes(text, strlen(text), NULL);
	cr_expect(has_fault(&checked->faults, "/code", "bytes"));
	checked_free(checked);
	free(text);
}

Test(request, input_files_fit_the_workspace)
{
	char *text = malloc(200 * 1024);
	struct checked *checked;

	(void)snprintf(text, 200 * 1024,
		       "{'language':'python','code':'','limits':{'workspace_bytes':65536},"
		       "'files':[{'path':'a','content':'%65536d'},{'path':'b','content':''}]}",
		       1);
	expect_good(text);
	(void)snprintf(text, 200 * 1024,
		       "{'language':'python','code':'','limits':{'workspace_bytes':65536},"
		       "'files':[{'path':'a','content':'%65536d'},{'path':'b','content':'x'}]}",
		       1);
	checked = support_request(text, NULL);
	cr_expect(has_fault(&checked->faults, "/files", "workspace"));
	checked_free(checked);
	free(text);
}

/* --- paths ------------------------------------------------------------------------------- */

Test(paths, good_and_bad)
{
	static const char *const good[] = {"a",	  "a/b",	  "a.b/..c",
					   "...", "\xC3\xBC/x y", ".hidden"};
	static const char *const bad[] = {"",	    "/",    "/a",   "a/",    "a//b",
					  ".",	    "./a",  "a/.",  "..",    "../a",
					  "a/../b", "a/..", "a\nb", "a\x7F", "\x01"};
	char text[LIMIT_PATH_BYTES + 2];

	for (size_t i = 0; i < ARRAY_COUNT(good); i++)
		cr_expect(path_fault(good[i], strlen(good[i])) == NULL, "%s", good[i]);
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		cr_expect(path_fault(bad[i], strlen(bad[i])) != NULL, "%s", bad[i]);
	memset(text, 'a', sizeof(text));
	cr_expect(path_fault(text, 255) == NULL);
	cr_expect(path_fault(text, 256) != NULL);
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = '/';
	cr_expect(path_fault(text, LIMIT_PATH_BYTES - 1) == NULL);
	cr_expect(path_fault(text, LIMIT_PATH_BYTES + 1) != NULL);
	cr_expect(path_fault("a\0b", 3) != NULL);
}

static enum path_clash clash(const char *first, const char *second, const char *third)
{
	struct path paths[] = {{first, strlen(first), 0},
			       {second, strlen(second), 1},
			       {third, strlen(third), 2}};
	size_t index = 99;
	size_t other = 99;
	enum path_clash found = path_find_clash(paths, 3, &index, &other);

	if (found != PATH_CLASH_NONE)
		cr_expect(other < index && index < 3);
	return found;
}

Test(paths, clashes)
{
	cr_expect_eq(clash("a", "b", "c"), PATH_CLASH_NONE);
	cr_expect_eq(clash("a/b", "a/c", "ab"), PATH_CLASH_NONE);
	cr_expect_eq(clash("a.b", "a-c", "a/d"), PATH_CLASH_NONE);
	cr_expect_eq(clash("x", "a", "x"), PATH_CLASH_SAME);
	cr_expect_eq(clash("data/x", "b", "data/X"), PATH_CLASH_CASE);
	cr_expect_eq(clash("Data/x", "b", "data/X"), PATH_CLASH_FOLDER_CASE);
	cr_expect_eq(clash("a/x", "A/y", "a-b"), PATH_CLASH_FOLDER_CASE);
	cr_expect_eq(clash("a/B/c", "a/b-/c", "a/b/d"), PATH_CLASH_FOLDER_CASE);
	cr_expect_eq(clash("a/B", "a/b/c", "x"), PATH_CLASH_FOLDER);
	cr_expect_eq(clash("a/b/c", "a.b", "a"), PATH_CLASH_FOLDER);
	cr_expect_eq(clash("a", "a-b", "A/b"), PATH_CLASH_FOLDER);
}

/* The indices that are left, in the order of the paths. */
static void expect_left(const char *const texts[4], const char *expected)
{
	struct path paths[4];
	char left[8] = {0};
	size_t count;

	for (size_t i = 0; i < 4; i++)
		paths[i] = (struct path){texts[i], strlen(texts[i]), i};
	count = path_drop_clashes(paths, 4);
	for (size_t i = 0; i < count; i++)
		left[i] = (char)('0' + paths[i].index);
	cr_expect_str_eq(left, expected, "%s", texts[0]);
}

Test(paths, of_those_that_clash_the_first_are_left)
{
	expect_left((const char *const[]){"d", "c", "b", "a"}, "3210");
	expect_left((const char *const[]){"a", "A", "a", "b"}, "03");
	expect_left((const char *const[]){"A/1", "a/2", "A/3", "a"}, "02");
	expect_left((const char *const[]){"a/2", "A/1", "A/3", "a/4"}, "03");
	expect_left((const char *const[]){"a", "A/1", "A/2", "a/3"}, "0");
	expect_left((const char *const[]){"A/3", "A/2", "a/1", "a"}, "10");
}

Test(request, file_faults_point_at_the_file)
{
	expect_bad(CODE ",'files':[{'path':'a','content':''},{'path':'../x','content':''}]}",
		   "/files/1/path", "path");
	expect_bad(CODE ",'files':[{'path':'a','content':'Q','encoding':'base64'}]}",
		   "/files/0/content", "base64");
	expect_bad(CODE ",'files':[{'path':'a','content':''},{'path':'A','content':''}]}",
		   "/files/1/path", "path");
	expect_bad(CODE ",'files':[{'path':'a'}]}", "/files/0/content", "required");
	expect_bad(CODE ",'env':{'1A':'x'}}", "/env/1A", "pattern");
}

/* --- base64 ------------------------------------------------------------------------------ */

static void decodes(const char *text, const char *data, size_t length)
{
	own_buf out;
	own_buf back;
	size_t at;

	buf_init(&out, 1 << 20);
	buf_init(&back, 1 << 20);
	cr_assert_eq(base64_decode(text, strlen(text), &out, &at), 0, "%s", text);
	cr_expect_eq(out.length, length);
	cr_expect_eq(base64_decoded_bytes(text, strlen(text)), length);
	cr_expect(length == 0 || memcmp(out.data, data, length) == 0, "%s", text);
	base64_encode(data, length, &back);
	cr_expect(back.length == strlen(text) &&
		  (back.length == 0 || memcmp(back.data, text, back.length) == 0));
}

static void refuses(const char *text, size_t wanted_at)
{
	own_buf out;
	size_t at = 9999;

	buf_init(&out, 1 << 20);
	cr_expect_eq(base64_decode(text, strlen(text), &out, &at), -EINVAL, "%s", text);
	cr_expect_eq(at, wanted_at, "%s: %zu", text, at);
}

Test(base64, strict_both_ways)
{
	decodes("", "", 0);
	decodes("Zg==", "f", 1);
	decodes("Zm8=", "fo", 2);
	decodes("Zm9v", "foo", 3);
	decodes("Zm9vYmFy", "foobar", 6);
	decodes("AP8=", "\0\xFF", 2);
	decodes("+/+/", "\xFB\xFF\xBF", 3);
	refuses("Z", 1);
	refuses("Zg=", 3);
	refuses("Zh==", 1);
	refuses("Zm9=", 2);
	refuses("Zg==Zg==", 2);
	refuses("====", 0);
	refuses("Z===", 1);
	refuses("Zm9v\nmFy", 4);
	refuses("Zm-_", 2);
}

Test(base64, all_lengths_round_trip)
{
	char data[5000];
	own_buf text;
	own_buf back;
	size_t at;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 251);
	for (size_t length = 0; length < sizeof(data); length += length < 20 ? 1 : 997) {
		buf_init(&text, 1 << 20);
		buf_init(&back, 1 << 20);
		base64_encode(data, length, &text);
		cr_assert_eq(base64_decode(text.data != NULL ? text.data : "", text.length,
					   &back, &at),
			     0);
		cr_expect(back.length == length &&
			  (length == 0 || memcmp(back.data, data, length) == 0));
		buf_done(&text);
		buf_done(&back);
	}
	buf_init(&text, 1);
	buf_init(&back, 1);
}
