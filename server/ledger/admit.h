/*
 * server/ledger/admit.h - who may run code now: identity, role, rate, concurrency.
 */
#ifndef SERVER_LEDGER_ADMIT_H
#define SERVER_LEDGER_ADMIT_H

#include "server/ledger/execution.h"

/* The principal of an identity; NULL with *ret_refusal 401 (the certificate names nobody) or
 * 403. */
const struct principal *admit_identity(struct ledger *ledger, uint8_t kind,
				       const char *identity, struct refusal *ret_refusal);

/* Admits or refuses, and in any case sees to it that the question is answered. A validation has
 * the role and the quotas of an execution. */
void admit_execute(struct ledger *ledger, uint64_t ask_id, const struct ask_execute *ask,
		   bool is_validation, int take_body_fd, struct span *body);
/* Nothing can be looked at for want of memory or descriptors: 503. */
void admit_without_memory(struct ledger *ledger, uint64_t ask_id);

#endif
