#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/wire.h"

TestSuite(wire, .timeout = 10);

Test(wire, numbers_are_little_endian)
{
	uint8_t body[15];
	struct wr wr;
	struct rd rd;

	wr_init(&wr, body, sizeof(body));
	wr_uint(&wr, 0x01, 1);
	wr_uint(&wr, 0x0203, 2);
	wr_uint(&wr, 0x04050607, 4);
	wr_uint(&wr, 0x08090A0B0C0D0E0Full, 8);

	cr_assert(eq(int, wr.has_failed, 0));
	cr_assert(eq(int,
		     memcmp(body,
			    "\x01\x03\x02\x07\x06\x05\x04\x0F\x0E\x0D\x0C\x0B\x0A\x09\x08", 15),
		     0));
	rd_init(&rd, body, wr.length);
	cr_assert(eq(u64, rd_uint(&rd, "a", 1, 0, 255), 1));
	cr_assert(eq(u64, rd_uint(&rd, "b", 2, 0, 65535), 0x0203));
	cr_assert(eq(u64, rd_uint(&rd, "c", 4, 0, UINT32_MAX), 0x04050607));
	cr_assert(eq(u64, rd_uint(&rd, "d", 8, 0, UINT64_MAX), 0x08090A0B0C0D0E0Full));
	cr_assert(eq(int, rd_done(&rd, "m", NULL), 0));
}

Test(wire, writing_past_the_end_fails_and_sticks)
{
	uint8_t body[4] = {0};
	struct wr wr;

	wr_init(&wr, body, 3);
	wr_uint(&wr, 0xFFFFFFFF, 4);
	wr_uint(&wr, 1, 1);

	cr_assert(eq(int, wr.has_failed, 1));
	cr_assert(eq(int, body[3], 0));
}

Test(wire, the_first_bad_field_is_named)
{
	struct err err = {0};
	struct rd rd;

	rd_init(&rd, "\x05\x01", 2);
	(void)rd_uint(&rd, "good", 1, 0, 5);
	(void)rd_uint(&rd, "bad", 1, 2, 3);
	(void)rd_uint(&rd, "later", 1, 0, 0);

	cr_assert(eq(int, rd_done(&rd, "m", &err), -EBADMSG));
	cr_assert(ne(ptr, strstr(err.text, "bad"), NULL));
}

Test(wire, a_string_is_bounded_by_its_target)
{
	char text[5] = "????";
	struct rd rd;

	rd_init(&rd,
		"\x05\x00"
		"abcde",
		7);
	rd_str(&rd, "text", text, 0, 4);

	cr_assert(eq(int, rd_done(&rd, "m", NULL), -EBADMSG));
}

Test(wire, a_string_with_a_nul_inside_is_refused)
{
	char text[5];
	struct rd rd;

	rd_init(&rd,
		"\x03\x00"
		"a\0b",
		5);
	rd_str(&rd, "text", text, 0, 4);

	cr_assert(eq(int, rd_done(&rd, "m", NULL), -EBADMSG));
}

Test(wire, negative_numbers_keep_their_range)
{
	uint8_t body[8];
	struct wr wr;
	struct rd rd;

	wr_init(&wr, body, sizeof(body));
	wr_uint(&wr, (uint64_t)-1, 8);

	rd_init(&rd, body, 8);
	cr_assert(eq(i64, rd_int(&rd, "n", -1, 255), -1));
	rd_init(&rd, body, 8);
	(void)rd_int(&rd, "n", 0, 255);
	cr_assert(eq(int, rd_done(&rd, "m", NULL), -EBADMSG));
}
