#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/own.h"
#include "server/gate/range.h"

TestSuite(range, .timeout = 10);

static struct text text_of(const char *text)
{
	return (struct text){text, strlen(text)};
}

Test(range, one_range_of_bytes_is_understood_and_nothing_else)
{
	static const struct {
		const char *value;
		enum range_verdict verdict;
		uint64_t first, length;
	} cases[] = {
		{"bytes=0-0", RANGE_PART, 0, 1},
		{"bytes=0-99", RANGE_PART, 0, 100},
		{"bytes=0-1000", RANGE_PART, 0, 100},
		{"bytes=10-19", RANGE_PART, 10, 10},
		{"BYTES= 10-19 ", RANGE_PART, 10, 10},
		{"bytes=99-", RANGE_PART, 99, 1},
		{"bytes=-1", RANGE_PART, 99, 1},
		{"bytes=-100", RANGE_PART, 0, 100},
		{"bytes=-5000", RANGE_PART, 0, 100},
		{"bytes=0-99999999999999999999999999", RANGE_PART, 0, 100},
		{"bytes=-99999999999999999999999999", RANGE_PART, 0, 100},
		{"bytes=100-", RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=100-200", RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=99999999999999999999999999-", RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=-0", RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=20-10", RANGE_WHOLE, 0, 0},
		{"bytes=0-1,5-6", RANGE_WHOLE, 0, 0},
		{"bytes=", RANGE_WHOLE, 0, 0},
		{"bytes=-", RANGE_WHOLE, 0, 0},
		{"bytes=a-b", RANGE_WHOLE, 0, 0},
		{"bytes=+1-2", RANGE_WHOLE, 0, 0},
		{"bytes=1 -2", RANGE_WHOLE, 0, 0},
		{"bytes=0x1-2", RANGE_WHOLE, 0, 0},
		{"bytes 0-1", RANGE_WHOLE, 0, 0},
		{"lines=0-1", RANGE_WHOLE, 0, 0},
		{"bytes", RANGE_WHOLE, 0, 0},
		{"", RANGE_WHOLE, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		uint64_t first = 0;
		uint64_t length = 0;
		enum range_verdict verdict =
			range_parse(text_of(cases[i].value), 100, &first, &length);

		cr_expect(eq(int, (int)verdict, (int)cases[i].verdict), "%s", cases[i].value);
		cr_expect(eq(u64, first, cases[i].first), "%s", cases[i].value);
		cr_expect(eq(u64, length, cases[i].length), "%s", cases[i].value);
	}
	cr_expect(eq(int,
		     (int)range_parse(text_of("bytes=-1"), 0, &(uint64_t){0}, &(uint64_t){0}),
		     RANGE_UNSATISFIABLE));
}

Test(range, etags_are_compared_weakly)
{
	cr_expect(etag_is_listed(text_of("\"abc\""), "\"abc\""));
	cr_expect(etag_is_listed(text_of("W/\"abc\""), "\"abc\""));
	cr_expect(etag_is_listed(text_of("\"x\", W/\"y\" ,\"abc\""), "\"abc\""));
	cr_expect(etag_is_listed(text_of(" * "), "\"abc\""));
	cr_expect(not(etag_is_listed(text_of(""), "\"abc\"")));
	cr_expect(not(etag_is_listed(text_of("abc"), "\"abc\"")));
	cr_expect(not(etag_is_listed(text_of("\"ABC\""), "\"abc\"")));
	cr_expect(not(etag_is_listed(text_of("\"x,\"abc\"\""), "\"abc\"")));
	cr_expect(not(etag_is_listed(text_of("w/\"abc\""), "\"abc\"")));
}

Test(range, etags_of_if_match_are_compared_strongly)
{
	cr_expect(etag_is_matched(text_of("\"x\" ,\"abc\""), "\"abc\""));
	cr_expect(etag_is_matched(text_of(" * "), "\"abc\""));
	cr_expect(not(etag_is_matched(text_of("W/\"abc\""), "\"abc\"")));
	cr_expect(not(etag_is_matched(text_of("\"x,*,y\""), "\"abc\"")));
	cr_expect(not(etag_is_matched(text_of("?"), "\"abc\"")));
}

Test(range, only_normalised_relative_paths_are_decoded)
{
	static const struct {
		const char *escaped;
		const char *path; /* NULL: refused */
	} cases[] = {
		{"a", "a"},
		{"a/b.c/d", "a/b.c/d"},
		{"a%20b", "a b"},
		{"%61", "a"},
		{"%C3%BC", "\xC3\xBC"},
		{"%25", "%"},
		{"a/..b", "a/..b"},
		{"...", "..."},
		{"", NULL},
		{"/a", NULL},
		{"a/", NULL},
		{"a//b", NULL},
		{".", NULL},
		{"..", NULL},
		{"a/../b", NULL},
		{"a/./b", NULL},
		{"%2e%2e", NULL},
		{"a/%2E./b", NULL},
		{"%2e%2e/%2e%2e/etc", NULL},
		{"a%2Fb", NULL},
		{"..%2f..%2fetc", NULL},
		{"a%00", NULL},
		{"a%0Ab", NULL},
		{"a%7F", NULL},
		{"%FF", NULL},
		{"%ED%A0%80", NULL},
		{"%C0%AE%C0%AE", NULL},
		{"%", NULL},
		{"%4", NULL},
		{"a%4", NULL},
		{"%zz", NULL},
	};
	char path[32];

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		bool is_good = path_decode(text_of(cases[i].escaped), path, sizeof(path));

		cr_expect(eq(int, is_good, cases[i].path != NULL), "%s", cases[i].escaped);
		if (is_good)
			cr_expect(eq(str, path, (char *)(uintptr_t)cases[i].path));
	}
	cr_expect(path_decode(text_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), path, sizeof(path)));
	cr_expect(not(
		path_decode(text_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), path, sizeof(path))));
}
