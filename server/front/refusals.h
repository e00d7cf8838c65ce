/*
 * server/front/refusals.h - handshakes that failed, counted by (reason, address, subject) and
 * handed on once a second, so that a flood of them cannot fill the audit record.
 *
 * The table is bounded: what does not fit is counted under its reason alone.
 */
#ifndef SERVER_FRONT_REFUSALS_H
#define SERVER_FRONT_REFUSALS_H

#include <stddef.h>

#include "schema/wire/front_gate.h"

#define REFUSALS_MAX 32 /* distinct callers told apart in one second */

struct refusal_entry {
	struct front_refused message;
	const char *detail; /* static text for the log; NULL: none */
};

/* All zero is an empty table. */
struct refusals {
	struct refusal_entry entries[REFUSALS_MAX + TLS_REFUSAL_MAX];
	size_t count;	 /* entries in use, overflow entries included */
	size_t distinct; /* of them, those with an address */
};

/* `address` has no port; both texts are cut to the message's limits. */
void refusals_add(struct refusals *refusals, uint8_t refusal, const char *address,
		  const char *subject, const char *detail);

void refusals_clear(struct refusals *refusals);

#endif
