#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

TestSuite(buf, .timeout = 10);

Test(buf, grows_and_stays_terminated)
{
	own_buf buf;

	buf_init(&buf, 100000);
	for (int i = 0; i < 1000; i++)
		buf_printf(&buf, "%03d,", i % 1000);

	cr_assert(eq(int, buf_check(&buf, NULL), 0));
	cr_assert(eq(sz, buf.length, 4000));
	cr_assert(eq(sz, strlen(buf.data), 4000));
	cr_assert(eq(int, memcmp(buf.data + 3996, "999,", 5), 0));
}

Test(buf, the_limit_is_exact)
{
	own_buf buf;

	buf_init(&buf, 8);
	buf_add(&buf, "12345678", 8);

	cr_assert(eq(int, buf_check(&buf, NULL), 0));
	buf_add_char(&buf, '9');
	cr_assert(eq(int, buf_check(&buf, NULL), -E2BIG));
}

Test(buf, a_failure_sticks)
{
	own_buf buf;

	buf_init(&buf, 4);
	buf_add_str(&buf, "too long");
	buf_add_char(&buf, 'x');

	cr_assert(eq(sz, buf.length, 0));
	cr_assert(eq(int, buf_check(&buf, NULL), -E2BIG));
}

Test(buf, nothing_added_is_fine)
{
	own_buf buf;

	buf_init(&buf, 4);
	buf_add(&buf, NULL, 0);

	cr_assert(eq(int, buf_check(&buf, NULL), 0));
	buf_done(&buf);
}

Test(buf, reads_a_descriptor_to_its_end_or_past_the_limit)
{
	own_buf text;
	int ends[2];

	buf_init(&text, 8);
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	cr_assert_eq(write(ends[1], "12345678", 8), 8);
	cr_assert_eq(close(ends[1]), 0);
	cr_expect_eq(buf_read(&text, ends[0]), 0);
	cr_expect_eq(buf_check(&text, NULL), 0);
	cr_expect_str_eq(text.data, "12345678");
	cr_assert_eq(close(ends[0]), 0);
	cr_expect_eq(buf_read(&text, ends[0]), -EBADF);

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	cr_assert_eq(write(ends[1], "9", 1), 1);
	cr_expect_eq(buf_read(&text, ends[0]), 0, "ends although the other end is open");
	cr_expect_eq(buf_check(&text, NULL), -E2BIG);
	cr_assert_eq(close(ends[0]), 0);
	cr_assert_eq(close(ends[1]), 0);
}
