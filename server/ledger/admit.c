#include "server/ledger/admit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/ledger/flow.h"
#include "server/ledger/ledger.h"

static void refusal_set(struct refusal *refusal, uint8_t problem, uint32_t retry_after_s,
			const char *detail, const char *hint)
{
	*refusal = (struct refusal){.problem = problem, .retry_after_s = retry_after_s};
	(void)snprintf(refusal->detail, sizeof(refusal->detail), "%s", detail);
	(void)snprintf(refusal->hint, sizeof(refusal->hint), "%s", hint);
}

const struct principal *admit_identity(struct ledger *ledger, uint8_t kind,
				       const char *identity, struct refusal *ret_refusal)
{
	const struct principal *principal;

	if (kind == 0 || identity[0] == '\0') {
		refusal_set(
			ret_refusal, PROBLEM_UNAUTHENTICATED, 0,
			"the client certificate names nobody: it has neither a SPIFFE ID nor a "
			"DNS name nor a common name",
			"Use a certificate that carries an identity.");
		return NULL;
	}
	principal = config_find(&ledger->config, kind, identity);
	if (principal == NULL)
		refusal_set(ret_refusal, PROBLEM_FORBIDDEN, 0,
			    "no principal is configured for this certificate's identity",
			    "Ask the operator to add it to `principals`.");
	return principal;
}

/* Refusals that cannot be put on record: nothing can, or too much is under way. */
static bool is_shut(struct ledger *ledger, bool is_validation, struct refusal *ret_refusal)
{
	/* A validation leaves no record, so it needs none. */
	if (ledger->round.is_bad && !is_validation) {
		ledger->round.refused++;
		refusal_set(ret_refusal, PROBLEM_NOT_RECORDED, 2,
			    "the audit record cannot be written, so nothing is run",
			    "Try again later.");
		return true;
	}
	if (ledger->executions.count < ledger->executions_max)
		return false;
	refusal_set(ret_refusal, PROBLEM_QUEUE_FULL, 1, "too many executions are under way",
		    "Nothing was run: try again after the time in Retry-After.");
	return true;
}

static void refuse_shut(struct ledger *ledger, uint64_t ask_id, const struct refusal *refusal)
{
	ledger->metrics.refusals[refusal->problem]++;
	gate_refuse(ledger, ask_id, refusal, -1);
}

/* True: the request may go on. False: it has been refused. */
static bool has_quota(struct execution *e, struct tenant *tenant)
{
	uint32_t wait_s = 0;

	if (tenant->running >= tenant->limits.concurrency_max) {
		flow_refuse(e, PROBLEM_TOO_MANY_CONCURRENT, 1,
			    "Wait until one of them has been answered.",
			    "tenant %s has %u executions under way, and may have %u",
			    tenant->limits.name, tenant->running,
			    tenant->limits.concurrency_max);
		return false;
	}
	if (bucket_take(&tenant->bucket, clock_mono_us(), &wait_s))
		return true;
	flow_refuse(e, PROBLEM_RATE_LIMITED, wait_s, "Wait for the time in Retry-After.",
		    "tenant %s may ask for %u executions a minute", tenant->limits.name,
		    tenant->limits.rate_per_minute);
	return false;
}

static bool is_allowed(struct execution *e, const struct principal *principal)
{
	if (e->ledger->is_draining) {
		flow_refuse(e, PROBLEM_DRAINING, 1, "Nothing was run: try again.",
			    "the service is shutting down");
		return false;
	}
	if ((principal->entry.roles & ROLE_EXECUTOR) == 0) {
		flow_refuse(e, PROBLEM_FORBIDDEN, 0,
			    "Use a certificate with the role executor.",
			    "this identity does not have the role executor");
		return false;
	}
	return has_quota(e, principal->tenant);
}

void admit_without_memory(struct ledger *ledger, uint64_t ask_id)
{
	struct refusal refusal;

	refusal_set(&refusal, PROBLEM_UNAVAILABLE, 1, "out of memory",
		    "Nothing was run: try again.");
	refuse_shut(ledger, ask_id, &refusal);
}

void admit_execute(struct ledger *ledger, uint64_t ask_id, const struct ask_execute *ask,
		   bool is_validation, int take_body_fd, struct span *body)
{
	own_fd body_fd = take_body_fd;
	const struct principal *principal;
	struct refusal refusal = {0};
	struct execution *e;

	if (is_shut(ledger, is_validation, &refusal)) {
		refuse_shut(ledger, ask_id, &refusal);
		return;
	}
	e = execution_new(ledger, ask_id, ask);
	if (e == NULL) {
		admit_without_memory(ledger, ask_id);
		return;
	}
	e->is_validation = is_validation;
	principal = admit_identity(ledger, ask->identity_kind, ask->identity, &refusal);
	if (principal == NULL) {
		flow_refuse(e, refusal.problem, 0, refusal.hint, "%s", refusal.detail);
		return;
	}
	memcpy(e->entry.tenant, principal->entry.tenant, sizeof(e->entry.tenant));
	memcpy(e->policy, principal->entry.policy, sizeof(e->policy));
	if (!is_allowed(e, principal))
		return;
	e->tenant = principal->tenant;
	e->tenant->running++;
	e->has_slot = true;
	flow_check(e, fd_take(&body_fd), body);
}
