#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "server/gate/caller.h"

TestSuite(caller, .timeout = 10);

static struct callers callers;

static struct caller *join(const char *identity)
{
	struct front_connection who = {.identity_kind = IDENTITY_DNS};

	(void)snprintf(who.identity, sizeof(who.identity), "%s", identity);
	return caller_join(&callers, &who);
}

Test(caller, all_connections_of_one_identity_are_one_caller)
{
	struct caller *a = join("a");

	cr_expect(eq(ptr, join("a"), a));
	cr_expect(ne(ptr, join("b"), a));
	caller_leave(&callers, a);
	cr_expect(eq(ptr, join("a"), a));
	caller_leave(&callers, a);
	caller_leave(&callers, a);
	caller_leave(&callers, join("b"));
	caller_leave(&callers, NULL);
}

Test(caller, a_share_of_the_bodies_is_four_of_the_largest)
{
	const uint64_t largest = 32 << 20;
	struct caller *a = join("a");

	for (int i = 0; i < 4; i++)
		cr_expect(
			eq(int, caller_hold_body(&callers, a, largest, largest), CALLER_GOOD));
	cr_expect(eq(int, caller_hold_body(&callers, a, 1, largest), CALLER_ABOVE_SHARE));
	cr_expect(
		eq(int, caller_hold_body(&callers, join("b"), largest, largest), CALLER_GOOD));
	caller_drop_body(&callers, a, largest);
	cr_expect(eq(int, caller_hold_body(&callers, a, largest, largest), CALLER_GOOD));
}

Test(caller, four_full_shares_leave_no_room)
{
	char name[2] = "a";

	for (; name[0] < 'e'; name[0]++)
		cr_expect(eq(int,
			     caller_hold_answer(&callers, join(name), LIMIT_FRAGMENT_BYTES),
			     CALLER_GOOD));
	cr_expect(eq(int, caller_hold_answer(&callers, join("e"), 1), CALLER_NO_ROOM));
	cr_expect(eq(int, caller_hold_answer(&callers, join("a"), 1), CALLER_ABOVE_SHARE));
	caller_drop_answer(&callers, join("a"), LIMIT_FRAGMENT_BYTES);
	cr_expect(eq(int, caller_hold_answer(&callers, join("e"), 1), CALLER_GOOD));
	cr_expect(eq(u64, callers.answers_bytes, 3 * LIMIT_FRAGMENT_BYTES + 1));
}
