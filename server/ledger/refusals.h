/*
 * server/ledger/refusals.h - keeps one caller's flood of refusals from filling the audit.
 *
 * The first refusals of a principal in a second are recorded one by one; the rest of that
 * second becomes one record per problem with a count. So it is with refused handshakes: the
 * front counts equal ones together, but neither it nor the gate is believed to.
 */
#ifndef SERVER_LEDGER_REFUSALS_H
#define SERVER_LEDGER_REFUSALS_H

#include "base/loop.h"
#include "schema/limits.h"
#include "schema/status.h"
#include "schema/wire/front_gate.h"

struct ledger;

#define REFUSALS_SINGLE_MAX \
	50 /* a second and principal: more is not read by anybody one by one */
#define REFUSALS_CALLERS_MAX 256 /* followed at once; the others share one */

/* A second; the front tells of 32 callers apart and of as many more as there are reasons. */
#define REFUSALS_HANDSHAKES_MAX (32 + TLS_REFUSAL_MAX)

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
	uint32_t handshakes;			       /* recorded one by one in this second */
	uint64_t handshakes_more[TLS_REFUSAL_MAX + 1]; /* by reason: counted only */
};

void refusals_init(struct ledger *ledger);

/* True: record this one by itself. False: it has been counted. */
bool refusals_single(struct ledger *ledger, const char *tenant, const char *principal,
		     uint8_t problem);

/* Records a message of refused handshakes, or adds it to the counts. */
void refusals_handshake(struct ledger *ledger, const struct front_refused *refused);

/* Writes the counts; at the end of each second and of the process. */
void refusals_flush(struct ledger *ledger);

#endif
