/*
 * server/ledger/refusals.h - keeps one caller's flood of refusals from filling the audit.
 *
 * The first refusals of a principal in a second are recorded one by one; the rest of that
 * second becomes one record per problem with a count.
 */
#ifndef SERVER_LEDGER_REFUSALS_H
#define SERVER_LEDGER_REFUSALS_H

#include "base/loop.h"
#include "schema/limits.h"
#include "schema/status.h"

struct ledger;

#define REFUSALS_SINGLE_MAX \
	50 /* a second and principal: more is not read by anybody one by one */
#define REFUSALS_CALLERS_MAX 256 /* followed at once; the others share one */

struct refusals_caller {
	char principal[LIMIT_IDENTITY_BYTES + 1];
	char tenant[LIMIT_NAME_BYTES + 1];
	uint32_t single;
	uint32_t counts[PROBLEM_MAX + 1];
};

struct refusals {
	struct timer timer;
	struct refusals_caller callers[REFUSALS_CALLERS_MAX];
	size_t count;
};

void refusals_init(struct ledger *ledger);

/* True: record this one by itself. False: it has been counted. */
bool refusals_single(struct ledger *ledger, const char *tenant, const char *principal,
		     uint8_t problem);

/* Writes the counts; at the end of each second and of the process. */
void refusals_flush(struct ledger *ledger);

#endif
