#include "server/ledger/ulid.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

TestSuite(ulid, .timeout = 10);

Test(ulid, encodes_time_and_bits_in_crockfords_base32)
{
	static const uint8_t zeros[10] = {0};
	static const uint8_t ones[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	static const uint8_t last[10] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	char text[LIMIT_ID_CHARS + 1];

	ulid_encode(0, zeros, text);
	cr_assert(eq(str, text, (char *)"00000000000000000000000000"));
	ulid_encode(0, last, text);
	cr_assert(eq(str, text, (char *)"00000000000000000000000001"));
	ulid_encode(0xFFFFFFFFFFFFu, ones, text);
	cr_assert(eq(str, text, (char *)"7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
	/* The example of the ULID specification: its time part. */
	ulid_encode(1469918176385u, zeros, text);
	text[10] = '\0';
	cr_assert(eq(str, text, (char *)"01ARYZ6S41"));
}

Test(ulid, later_ones_sort_behind)
{
	char before[LIMIT_ID_CHARS + 1];
	char after[LIMIT_ID_CHARS + 1];

	for (uint64_t time_ms = 1; time_ms < 1u << 30; time_ms *= 2) {
		ulid_new(time_ms, before);
		ulid_new(time_ms + 1, after);
		cr_assert(lt(int, strcmp(before, after), 0));
	}
}

Test(ulid, new_ones_are_valid_and_differ)
{
	char one[LIMIT_ID_CHARS + 1];
	char two[LIMIT_ID_CHARS + 1];

	ulid_new(1700000000000u, one);
	ulid_new(1700000000000u, two);

	cr_assert(ulid_is_valid(one));
	cr_assert(ne(str, one, two));
}

Test(ulid, refuses_what_it_would_not_write)
{
	cr_assert(not(ulid_is_valid("")));
	cr_assert(not(ulid_is_valid("0000000000000000000000000")));
	cr_assert(not(ulid_is_valid("000000000000000000000000000")));
	cr_assert(not(ulid_is_valid("8ZZZZZZZZZZZZZZZZZZZZZZZZZ")));
	cr_assert(not(ulid_is_valid("0000000000000000000000000i")));
	cr_assert(not(ulid_is_valid("0000000000000000000000000U")));
	cr_assert(not(ulid_is_valid("00000000000000000000000\n00")));
}
