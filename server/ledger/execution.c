#include "server/ledger/execution.h"

#include <string.h>

#include "base/clock.h"
#include "server/ledger/flow.h"
#include "server/ledger/ledger.h"

static size_t bucket_of(uint64_t id)
{
	return (size_t)(id * 0x9E3779B97F4A7C15ull >> 52);
}

_Static_assert(EXECUTION_BUCKETS == 1u << 12, "bucket_of() keeps 12 bits");

/* A million numbers a millisecond are not used up, and a clock that is set back by less than
 * the time the last life took is behind it, too. */
#define NUMBERS_PER_MS_BITS 20

void executions_init(struct executions *set)
{
	set->last_number = clock_wall_ms() << NUMBERS_PER_MS_BITS;
}

struct execution *execution_new(struct ledger *ledger, uint64_t ask_id,
				const struct ask_execute *ask)
{
	struct executions *set = &ledger->executions;
	struct execution *e = calloc(1, sizeof(*e));
	size_t bucket;

	if (e == NULL)
		return NULL;
	e->ledger = ledger;
	e->number = ++set->last_number;
	e->ask_id = ask_id;
	e->has_caller = true;
	e->ask = *ask;
	e->asked_us = clock_mono_us();
	e->body_fd = e->payload_fd = e->findings_fd = e->outcome_fd = e->members_fd =
		e->faults_fd = -1;
	e->body = e->payload = e->findings = e->members = (struct span){.data = ""};
	e->deadline = (struct timer){.fire = flow_deadline, .owner = e};
	e->body_digest.owner = e->payload_digest.owner = e->findings_digest.owner =
		e->members_digest.owner = e;
	e->body_digest.done = e->payload_digest.done = e->findings_digest.done =
		e->members_digest.done = flow_hashed;
	e->entry.execution = e;
	bucket = bucket_of(e->number);
	e->next_by_number = set->by_number[bucket];
	set->by_number[bucket] = e;
	bucket = bucket_of(ask_id);
	e->next_by_ask = set->by_ask[bucket];
	set->by_ask[bucket] = e;
	e->next = set->first;
	if (set->first != NULL)
		set->first->previous = e;
	set->first = e;
	set->count++;
	return e;
}

static void unlink_number(struct executions *set, struct execution *e)
{
	struct execution **link = &set->by_number[bucket_of(e->number)];

	while (*link != e)
		link = &(*link)->next_by_number;
	*link = e->next_by_number;
}

void execution_forget_caller(struct execution *e)
{
	struct execution **link = &e->ledger->executions.by_ask[bucket_of(e->ask_id)];

	if (!e->has_caller)
		return;
	while (*link != e)
		link = &(*link)->next_by_ask;
	*link = e->next_by_ask;
	e->has_caller = false;
}

void execution_release_slot(struct execution *e)
{
	if (!e->has_slot)
		return;
	e->has_slot = false;
	e->tenant->running--;
	config_release(&e->ledger->config, e->tenant);
	e->tenant = NULL;
}

void execution_free(struct execution *e)
{
	struct executions *set = &e->ledger->executions;

	execution_forget_caller(e);
	execution_release_slot(e);
	unlink_number(set, e);
	if (e->previous != NULL)
		e->previous->next = e->next;
	else
		set->first = e->next;
	if (e->next != NULL)
		e->next->previous = e->previous;
	set->count--;
	loop_timer_stop(&e->ledger->loop, &e->deadline);
	waiting_remove(e);
	digest_stop(&e->ledger->digests, &e->body_digest);
	digest_stop(&e->ledger->digests, &e->payload_digest);
	digest_stop(&e->ledger->digests, &e->findings_digest);
	digest_stop(&e->ledger->digests, &e->members_digest);
	files_keep_stop(&e->keep);
	span_done(&e->body);
	span_done(&e->payload);
	span_done(&e->findings);
	span_done(&e->members);
	fd_drop(&e->body_fd);
	fd_drop(&e->payload_fd);
	fd_drop(&e->findings_fd);
	fd_drop(&e->outcome_fd);
	fd_drop(&e->members_fd);
	fd_drop(&e->faults_fd);
	buf_done(&e->entry.body);
	free(e);
}

struct execution *execution_by_number(struct executions *set, uint64_t number)
{
	struct execution *e = set->by_number[bucket_of(number)];

	while (e != NULL && e->number != number)
		e = e->next_by_number;
	return e;
}

struct execution *execution_by_ask(struct executions *set, uint64_t ask_id)
{
	struct execution *e = set->by_ask[bucket_of(ask_id)];

	while (e != NULL && e->ask_id != ask_id)
		e = e->next_by_ask;
	return e;
}

const struct execution *execution_by_id(const struct executions *set, const char *execution_id)
{
	const struct execution *e = set->first;

	while (e != NULL && strcmp(e->answer.execution_id, execution_id) != 0)
		e = e->next;
	return e;
}
