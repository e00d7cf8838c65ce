#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/ledger/digest.h"

TestSuite(digest, .timeout = 10);

Test(digest, what_is_forgotten_is_not_known_any_more)
{
	struct digest_queue queue;
	struct digest digest = {0};
	struct span small = {.data = "abc", .length = 3};
	struct loop loop;
	struct err err;

	cr_assert(eq(int, digest_init(&err), 0));
	cr_assert(eq(int, loop_init(&loop, &err), 0));
	digest_queue_init(&queue, &loop);

	digest_start(&queue, &digest, &small);
	cr_expect(digest.is_known);
	cr_expect(eq(int, digest.value[0], 0xBA)); /* FIPS 180-4, the example of one block */
	digest_stop(&queue, &digest);
	cr_expect(digest.is_known);
	digest_forget(&queue, &digest);
	cr_expect(not(digest.is_known));
	loop_done(&loop);
}
