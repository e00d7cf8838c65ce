/*
 * server/ledger/waiting.h - executions that wait for a validator to have room.
 *
 * Reading a source may take its whole time (LIMIT_CODE_TIME_MS), and a tenant may send as many
 * as his concurrency allows. Were they all given to the validators at once, whoever came later
 * would wait for the last of them. So the next is one of the tenant who has waited longest
 * since his last turn: with n tenants who wait, each has every n-th turn, however many the
 * others ask for.
 */
#ifndef SERVER_LEDGER_WAITING_H
#define SERVER_LEDGER_WAITING_H

#include <stdint.h>

struct execution;

struct waiting {
	struct execution *first, *last; /* in the order in which they came */
	uint64_t last_turn;
};

/* `e` has a tenant. */
void waiting_add(struct execution *e);
/* Does nothing if it does not wait. */
void waiting_remove(struct execution *e);
/* Whose turn it is; NULL: nobody waits. Looks at each that waits: at most as many as may be
 * under way. */
struct execution *waiting_next(const struct waiting *waiting);

#endif
