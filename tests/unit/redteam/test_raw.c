#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "server/redteam/raw.h"

TestSuite(raw, .timeout = 10);

static void expect(const char *text, const char *bytes, size_t length)
{
	own_buf got = {0};

	cr_assert(eq(int, raw_bytes(text, &got, NULL), 0));
	cr_assert(eq(sz, got.length, length), "%s", text);
	cr_assert(eq(int, memcmp(got.data, bytes, length), 0), "%s", text);
}

Test(raw, a_line_ends_with_return_and_newline)
{
	expect("a\nb\n", "a\r\nb\r\n", 6);
	expect("a\\\nb\\\n", "ab", 2);
}

Test(raw, escapes_are_bytes)
{
	expect("\\r\\n\\t\\\\\\xff", "\r\n\t\\\xff", 5);
	expect("a\\0b", "a\0b", 3);
}

Test(raw, repeats_are_written_out)
{
	expect("{repeat 3 ab}c", "abababc", 7);
	expect("{repeat 2 a\\n}", "a\na\n", 4);
	expect("{\"a\":1}", "{\"a\":1}", 7);
}

Test(raw, the_length_is_that_of_the_body)
{
	expect("L: {length}\n\nabc", "L: 3\r\n\r\nabc", 11);
	expect("L: {length}\n\n", "L: 0\r\n\r\n", 8);
	expect("{length}", "{length}", 8);
}

Test(raw, more_than_there_is_room_for_is_an_error)
{
	own_buf got = {0};

	cr_assert(lt(int, raw_bytes("{repeat 99999999 a}", &got, NULL), 0));
}
