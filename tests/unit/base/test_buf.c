#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

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
