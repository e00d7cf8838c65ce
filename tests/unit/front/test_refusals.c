#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "server/front/refusals.h"

TestSuite(refusals, .timeout = 10);

Test(refusals, equal_ones_are_counted_together)
{
	struct refusals refusals = {0};

	for (int i = 0; i < 5; i++)
		refusals_add(&refusals, TLS_REFUSAL_EXPIRED, "10.0.0.1", "CN=a", "detail");

	cr_assert(eq(sz, refusals.count, 1));
	cr_assert(eq(u32, refusals.entries[0].message.count, 5));
	cr_assert(eq(str, refusals.entries[0].message.peer, "10.0.0.1"));
	cr_assert(eq(str, refusals.entries[0].message.subject, "CN=a"));
}

Test(refusals, reason_address_and_subject_tell_them_apart)
{
	struct refusals refusals = {0};

	refusals_add(&refusals, TLS_REFUSAL_EXPIRED, "10.0.0.1", "CN=a", NULL);
	refusals_add(&refusals, TLS_REFUSAL_REVOKED, "10.0.0.1", "CN=a", NULL);
	refusals_add(&refusals, TLS_REFUSAL_EXPIRED, "10.0.0.2", "CN=a", NULL);
	refusals_add(&refusals, TLS_REFUSAL_EXPIRED, "10.0.0.1", "CN=b", NULL);

	cr_assert(eq(sz, refusals.count, 4));
}

/* The attacker chooses addresses and subjects; he must not choose how much we keep. */
Test(refusals, a_flood_is_counted_without_growing)
{
	struct refusals refusals = {0};
	char address[LIMIT_PEER_BYTES + 1];
	uint64_t total = 0;

	for (unsigned i = 0; i < 100000; i++) {
		(void)snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16, (i >> 8) & 255,
			       i & 255);
		refusals_add(&refusals, (uint8_t)(1 + i % TLS_REFUSAL_MAX), address, "", NULL);
	}

	cr_assert(eq(sz, refusals.count, REFUSALS_MAX + TLS_REFUSAL_MAX));
	for (size_t i = 0; i < refusals.count; i++)
		total += refusals.entries[i].message.count;
	cr_assert(eq(u64, total, 100000));
}

Test(refusals, a_cleared_table_takes_new_ones)
{
	struct refusals refusals = {0};

	for (int i = 0; i < 3; i++) {
		refusals_add(&refusals, TLS_REFUSAL_OTHER, "10.0.0.1", "", NULL);
		cr_assert(eq(sz, refusals.count, 1));
		cr_assert(eq(u32, refusals.entries[0].message.count, 1));
		refusals_clear(&refusals);
	}
}

Test(refusals, long_texts_are_cut_and_still_found_again)
{
	struct refusals refusals = {0};
	char subject[1000];

	memset(subject, 'x', sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	refusals_add(&refusals, TLS_REFUSAL_OTHER, "10.0.0.1", subject, NULL);
	refusals_add(&refusals, TLS_REFUSAL_OTHER, "10.0.0.1", subject, NULL);

	cr_assert(eq(sz, refusals.count, 1));
	cr_assert(eq(sz, strlen(refusals.entries[0].message.subject), LIMIT_IDENTITY_BYTES));
}
