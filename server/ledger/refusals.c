#include "server/ledger/refusals.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "server/ledger/body.h"
#include "server/ledger/ledger.h"

#define WINDOW_US 1000000

static struct refusals_caller *caller_of(struct refusals *refusals, const char *tenant,
					 const char *principal)
{
	struct refusals_caller *caller;

	for (size_t i = 0; i < refusals->count; i++)
		if (strcmp(refusals->callers[i].principal, principal) == 0 &&
		    strcmp(refusals->callers[i].tenant, tenant) == 0)
			return &refusals->callers[i];
	/* The last place is everybody's: a flood of made-up names costs a table, not more. */
	if (refusals->count == REFUSALS_CALLERS_MAX)
		return &refusals->callers[REFUSALS_CALLERS_MAX - 1];
	caller = &refusals->callers[refusals->count++];
	*caller = (struct refusals_caller){0};
	if (refusals->count < REFUSALS_CALLERS_MAX) {
		(void)snprintf(caller->principal, sizeof(caller->principal), "%s", principal);
		(void)snprintf(caller->tenant, sizeof(caller->tenant), "%s", tenant);
	}
	return caller;
}

bool refusals_single(struct ledger *ledger, const char *tenant, const char *principal,
		     uint8_t problem)
{
	struct refusals *refusals = &ledger->refusals;
	struct refusals_caller *caller = caller_of(refusals, tenant, principal);

	if (!refusals->timer.is_armed)
		loop_timer_start(&ledger->loop, &refusals->timer, WINDOW_US);
	if (caller->single < REFUSALS_SINGLE_MAX) {
		caller->single++;
		return true;
	}
	caller->counts[problem]++;
	return false;
}

static void note_count(struct ledger *ledger, const struct refusals_caller *caller,
		       uint8_t problem)
{
	struct jsonw json;
	own_buf buf;

	buf_init(&buf, BODY_BYTES_MAX);
	jsonw_init(&json, &buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "problem", problem_code(problem));
	jsonw_key_u64(&json, "count", caller->counts[problem]);
	jsonw_key_str(&json, "detail", "more of the same within one second");
	jsonw_object_close(&json);
	round_note(ledger, RECORD_EXECUTION_REFUSED, caller->tenant, caller->principal, &buf);
}

void refusals_flush(struct ledger *ledger)
{
	struct refusals *refusals = &ledger->refusals;

	for (size_t i = 0; i < refusals->count; i++)
		for (uint8_t problem = 0; problem <= PROBLEM_MAX; problem++)
			if (refusals->callers[i].counts[problem] > 0)
				note_count(ledger, &refusals->callers[i], problem);
	refusals->count = 0;
	loop_timer_stop(&ledger->loop, &refusals->timer);
}

static void flush_fire(struct loop *loop, struct timer *timer)
{
	(void)loop;
	refusals_flush(timer->owner);
}

void refusals_init(struct ledger *ledger)
{
	ledger->refusals.timer = (struct timer){.fire = flush_fire, .owner = ledger};
}
