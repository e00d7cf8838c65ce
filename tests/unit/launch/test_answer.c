#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "sandbox/runtimes/launch/answer.h"

static struct answer answer;

static void take(const char *bytes, size_t length)
{
	memcpy(answer.bytes + answer.length, bytes, length);
	answer_took(&answer, length);
}

static void clear(void)
{
	memset(&answer, 0, sizeof(answer));
}

TestSuite(answer, .init = clear);

Test(answer, a_report_in_pieces_is_whole_with_its_last_byte)
{
	size_t length = 0;

	take("\2\0", 2);
	take("\0\0{", 3);
	cr_assert(answer_report(&answer, &length) == NULL);
	take("}", 1);
	cr_assert(eq(sz, length, 0));
	cr_assert(answer_report(&answer, &length) != NULL);
	cr_assert(eq(sz, length, 2));
	cr_assert(eq(int, answer_status(&answer), -1));
	cr_assert(not(answer.is_over));
}

Test(answer, the_byte_behind_it_is_the_status_and_the_end)
{
	take("\2\0\0\0{}\xff", 7);
	cr_assert(eq(int, answer_status(&answer), 255));
	cr_assert(eq(sz, answer_room(&answer), 0));
}

Test(answer, a_length_that_cannot_be_ends_it)
{
	size_t length;

	take("\0\0\0\0", 4);
	cr_assert(answer.is_over);
	clear();
	take("\1\xe0\0\0", 4); /* LIMIT_REPORT_BYTES + 1 */
	cr_assert(answer.is_over);
	cr_assert(answer_report(&answer, &length) == NULL);
	clear();
	take("\0\xe0\0\0", 4);
	cr_assert(not(answer.is_over));
	cr_assert(eq(sz, answer_room(&answer), LIMIT_REPORT_BYTES + 1));
}

Test(answer, the_end_of_the_link_is_the_end)
{
	take("\2\0\0\0{}", 6);
	answer_took(&answer, 0);
	cr_assert(answer.is_over);
	cr_assert(eq(int, answer_status(&answer), -1));
}
