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

static void note_handshakes(struct ledger *ledger, uint8_t reason, uint64_t count,
			    const char *peer, const char *subject)
{
	struct jsonw json;
	own_buf buf;

	buf_init(&buf, BODY_BYTES_MAX);
	jsonw_init(&json, &buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "reason", tls_refusal_name(reason));
	jsonw_key_u64(&json, "count", count);
	jsonw_key_str(&json, "peer", peer);
	jsonw_key_str(&json, "subject", subject);
	jsonw_object_close(&json);
	round_note(ledger, RECORD_TLS_REFUSED, "", "", &buf);
}

void refusals_handshake(struct ledger *ledger, const struct front_refused *refused)
{
	struct refusals *refusals = &ledger->refusals;

	ledger->metrics.tls_refusals[refused->refusal] += refused->count;
	if (!refusals->timer.is_armed)
		loop_timer_start(&ledger->loop, &refusals->timer, WINDOW_US);
	if (refusals->handshakes == REFUSALS_HANDSHAKES_MAX) {
		refusals->handshakes_more[refused->refusal] += refused->count;
		return;
	}
	refusals->handshakes++;
	note_handshakes(ledger, refused->refusal, refused->count, refused->peer,
			refused->subject);
}

static void flush_handshakes(struct ledger *ledger)
{
	struct refusals *refusals = &ledger->refusals;

	refusals->handshakes = 0;
	for (uint8_t reason = 0; reason <= TLS_REFUSAL_MAX; reason++) {
		uint64_t count = refusals->handshakes_more[reason];

		refusals->handshakes_more[reason] = 0;
		if (count > 0)
			note_handshakes(ledger, reason, count, "", "");
	}
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
	flush_handshakes(ledger);
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
