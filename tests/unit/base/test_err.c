#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/err.h"

TestSuite(err, .timeout = 10);

Test(err, set_returns_the_negative_code_and_keeps_the_text)
{
	struct err err = {0};

	int status = err_set(&err, EINVAL, "bad %s %d", "thing", 7);

	cr_assert(eq(int, status, -EINVAL));
	cr_assert(eq(int, err.code, EINVAL));
	cr_assert(eq(str, err.text, "bad thing 7"));
}

Test(err, errno_form_appends_the_reason)
{
	struct err err = {0};

	err_ignore(err_errno(&err, ENOENT, "open %s", "x"), "the text is looked at");

	cr_assert(eq(str, err.text, "open x: No such file or directory"));
}

Test(err, prefix_keeps_the_code_and_puts_the_context_first)
{
	struct err err = {0};

	err_ignore(err_set(&err, EIO, "disk is full"), "set up");
	int status = err_prefix(&err, "record %d", 3);

	cr_assert(eq(int, status, -EIO));
	cr_assert(eq(str, err.text, "record 3: disk is full"));
}

Test(err, long_texts_are_cut_inside_the_buffer)
{
	struct err err = {0};
	char big[2 * ERR_TEXT_MAX];

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_ignore(err_errno(&err, EIO, "%s", big), "the text is looked at");
	err_ignore(err_prefix(&err, "%s", big), "the text is looked at");

	cr_assert(eq(sz, strlen(err.text), ERR_TEXT_MAX - 1));
}

Test(err, nobody_has_to_listen)
{
	cr_assert(eq(int, err_set(NULL, EPERM, "%d", 1), -EPERM));
	cr_assert(eq(int, err_errno(NULL, EPERM, "%d", 1), -EPERM));
}
