#include "server/ledger/round.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "server/ledger/body.h"
#include "server/ledger/flow.h"
#include "server/ledger/ledger.h"

/* Members above this are not kept for GET: it holds whatever the default limits allow, at its
 * worst (each byte of 1 MiB stdout and stderr escaped to six, 4 MiB of files in base64). */
#define KEPT_MEMBERS_MAX (20u << 20)
/* Members above this are not tried a second time on a disk that was full. */
#define KEPT_MEMBERS_SMALL (64u << 10)
/* Pages of 4 KiB in the log. Idle: a checkpoint costs nobody anything. Never more than the
 * second: a checkpoint then takes some milliseconds, once in a few hundred executions. */
#define CHECKPOINT_PAGES_IDLE 256
#define CHECKPOINT_PAGES_MAX  2000
/* Answers forgotten for each record written, and each second when nothing is written. */
#define PURGE_ROWS_ENTRY 2
#define PURGE_ROWS_TICK	 64

static void entries_push(struct entries *entries, struct entry *entry)
{
	entry->next = NULL;
	if (entries->last != NULL)
		entries->last->next = entry;
	else
		entries->first = entry;
	entries->last = entry;
	entries->count++;
}

static struct entry *entries_pop(struct entries *entries)
{
	struct entry *entry = entries->first;

	if (entry == NULL)
		return NULL;
	entries->first = entry->next;
	if (entries->first == NULL)
		entries->last = NULL;
	entries->count--;
	return entry;
}

static void entry_free(struct entry *entry)
{
	buf_done(&entry->body);
	free(entry);
}

void round_add(struct ledger *ledger, struct entry *entry)
{
	entries_push(entry->kind == RECORD_EXECUTION_ACCEPTED ? &ledger->round.early
							      : &ledger->round.durable,
		     entry);
}

void round_note(struct ledger *ledger, enum record_kind kind, const char *tenant,
		const char *principal, struct buf *take_body)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL || ledger->round.durable.count >= ROUND_WAITING_MAX) {
		free(entry);
		buf_done(take_body);
		ledger->metrics.records_dropped++;
		ledger->round.dropped++;
		return;
	}
	entry->kind = kind;
	entry->time_ms = clock_wall_ms();
	(void)snprintf(entry->tenant, sizeof(entry->tenant), "%s", tenant);
	(void)snprintf(entry->principal, sizeof(entry->principal), "%s", principal);
	entry->body = *take_body;
	*take_body = (struct buf){0};
	round_add(ledger, entry);
}

/* --- writing ----------------------------------------------------------------------------- */

static int keep_answer(struct ledger *ledger, struct execution *e, struct err *err)
{
	const struct setup_ledger_config *config = &ledger->config.ledger;
	struct kept_answer kept = {
		.answer = e->answer,
		.expires_ms = e->answer.created_ms + config->retain_answers_s * 1000ull,
		.has_members = e->members_fd >= 0 && e->members.length <= KEPT_MEMBERS_MAX,
		.members = e->members,
	};

	if (config->retain_answers_s == 0 || config->retain_answers_bytes == 0)
		return 0;
	memcpy(kept.tenant, e->entry.tenant, sizeof(kept.tenant));
	if (e->state == EXECUTION_UNSETTLED && e->members.length > KEPT_MEMBERS_SMALL)
		kept.has_members = false;
	return database_keep(&ledger->db, &kept, err);
}

static int open_add(struct ledger *ledger, const struct execution *e, struct err *err)
{
	struct open_execution open = {.created_ms = e->answer.created_ms};

	memcpy(open.id, e->answer.execution_id, sizeof(open.id));
	memcpy(open.tenant, e->entry.tenant, sizeof(open.tenant));
	memcpy(open.principal, e->entry.principal, sizeof(open.principal));
	memcpy(open.runtime, e->answer.runtime, sizeof(open.runtime));
	memcpy(open.request_id, e->answer.request_id, sizeof(open.request_id));
	return database_open_add(&ledger->db, &open, err);
}

static int entry_write(struct ledger *ledger, struct entry *entry, struct err *err)
{
	struct execution *e = entry->execution;
	struct record_mark mark;
	struct record record = {
		.time_ms = entry->time_ms,
		.kind = record_kind_name(entry->kind),
		.execution_id = entry->execution_id,
		.tenant = entry->tenant,
		.principal = entry->principal,
		.body = entry->body.data,
		.body_length = entry->body.length,
	};
	int status = buf_check(&entry->body, err);

	if (status == 0)
		status = database_append(&ledger->db, &record, &mark, err);
	if (status < 0 || e == NULL)
		return status;
	if (entry->kind == RECORD_EXECUTION_ACCEPTED)
		return open_add(ledger, e, err);
	if (e->is_accepted)
		status = database_open_delete(&ledger->db, entry->execution_id, err);
	if (status < 0 || entry->kind != RECORD_EXECUTION_FINISHED)
		return status;
	e->answer.record_index = record.index;
	memcpy(e->answer.record_hash, mark.hash, DIGEST_BYTES);
	return keep_answer(ledger, e, err);
}

static int entries_commit(struct ledger *ledger, const struct entries *entries, bool is_durable,
			  struct err *err)
{
	struct database *db = &ledger->db;
	uint64_t started_us = clock_mono_us();
	int status = database_begin(db, is_durable, err);

	if (status < 0)
		return status;
	for (struct entry *entry = entries->first; status == 0 && entry != NULL;
	     entry = entry->next)
		status = entry_write(ledger, entry, err);
	/* Twice as fast as answers come, so that old ones never pile up under load. */
	if (status == 0 && is_durable)
		status = database_purge(db, clock_wall_ms(),
					ledger->config.ledger.retain_answers_bytes,
					PURGE_ROWS_ENTRY * (int)entries->count, err);
	if (status < 0) {
		database_rollback(db);
		return status;
	}
	status = database_commit(db, err);
	if (status == 0 && is_durable)
		histogram_add(&ledger->metrics.commit, clock_mono_us() - started_us);
	return status;
}

/* --- the database cannot be written ------------------------------------------------------ */

static void become_bad(struct ledger *ledger, const struct err *err)
{
	struct round *round = &ledger->round;

	ledger->metrics.database_errors++;
	(void)snprintf(round->reason, sizeof(round->reason), "%s", err->text);
	if (round->is_bad)
		return;
	round->is_bad = true;
	round->bad_since_ms = clock_wall_ms();
	log_event(LOG_ERROR, "recording_failed", LOG_STR("reason", err->text),
		  LOG_STR("effect", "executions are refused until writing works again"));
	/* Before the refusals: whom one of them reaches finds the service not ready. */
	gate_tell_state(ledger);
	loop_timer_start(&ledger->loop, &round->probe, ROUND_PROBE_MS * 1000);
}

/* What could not be written: accepted ones do not run, the others wait. */
static void entries_give_up(struct ledger *ledger, struct entries *entries)
{
	struct round *round = &ledger->round;
	struct entry *entry;

	while ((entry = entries_pop(entries)) != NULL) {
		struct execution *e = entry->execution;

		if (e == NULL && round->unsettled.count < ROUND_WAITING_MAX) {
			entries_push(&round->unsettled, entry);
		} else if (e == NULL) {
			round->dropped++;
			ledger->metrics.records_dropped++;
			entry_free(entry);
		} else if (entry->kind == RECORD_EXECUTION_ACCEPTED) {
			round->refused++;
			flow_accepted(e, false);
		} else {
			flow_settled(e, false);
			/* A refusal of what was never accepted leaves nothing open. */
			if (e->is_accepted)
				entries_push(&round->unsettled, entry);
			else
				execution_free(e);
		}
	}
}

static int append_resumed(struct ledger *ledger, struct err *err)
{
	const struct round *round = &ledger->round;
	struct record_mark mark;
	struct jsonw json;
	own_buf buf;

	buf_init(&buf, BODY_BYTES_MAX);
	jsonw_init(&json, &buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "reason", round->reason);
	jsonw_key_u64(&json, "failed_since_ms", round->bad_since_ms);
	jsonw_key_u64(&json, "executions_refused", round->refused);
	jsonw_key_u64(&json, "records_dropped", round->dropped);
	jsonw_object_close(&json);
	if (buf_check(&buf, err) < 0)
		return -E2BIG;

	struct record record = {
		.time_ms = clock_wall_ms(),
		.kind = record_kind_name(RECORD_RECORDING_RESUMED),
		.execution_id = "",
		.tenant = "",
		.principal = "",
		.body = buf.data,
		.body_length = buf.length,
	};

	return database_append(&ledger->db, &record, &mark, err);
}

/* Writes what waits, and that there was a gap. What SQLite knows is read again first. */
static int probe_write(struct ledger *ledger, struct err *err)
{
	struct database *db = &ledger->db;
	int status;

	database_rollback(db);
	status = database_load(db, err);
	if (status == 0)
		status = database_begin(db, true, err);
	if (status < 0)
		return status;
	for (struct entry *entry = ledger->round.unsettled.first; status == 0 && entry != NULL;
	     entry = entry->next)
		status = entry_write(ledger, entry, err);
	if (status == 0)
		status = append_resumed(ledger, err);
	if (status == 0)
		return database_commit(db, err);
	database_rollback(db);
	return status;
}

static void settle_all(struct ledger *ledger, struct entries *entries)
{
	struct entry *entry;

	while ((entry = entries_pop(entries)) != NULL) {
		ledger->metrics.records[entry->kind]++;
		if (entry->execution == NULL)
			entry_free(entry);
		else if (entry->kind == RECORD_EXECUTION_ACCEPTED)
			flow_accepted(entry->execution, true);
		else
			flow_settled(entry->execution, true);
	}
}

static void probe_fire(struct loop *loop, struct timer *timer)
{
	struct ledger *ledger = timer->owner;
	struct round *round = &ledger->round;
	struct err err = {0};

	/* The log can start over only after a checkpoint; on a full disk that is all there is.
	 */
	err_ignore(database_checkpoint(&ledger->db, false, &err), "the write shows it");
	if (probe_write(ledger, &err) < 0) {
		become_bad(ledger, &err);
		loop_timer_start(loop, timer, ROUND_PROBE_MS * 1000);
		return;
	}
	log_event(LOG_WARN, "recording_resumed", LOG_INT("executions_refused", round->refused),
		  LOG_INT("settled", round->unsettled.count));
	round->is_bad = false;
	round->refused = 0;
	round->dropped = 0;
	ledger->metrics.records[RECORD_RECORDING_RESUMED]++;
	gate_tell_state(ledger);
	settle_all(ledger, &round->unsettled);
}

/* --- the round --------------------------------------------------------------------------- */

static void commit_list(struct ledger *ledger, struct entries *list, bool is_durable)
{
	struct entries entries = *list;
	struct err err = {0};

	if (entries.first == NULL)
		return;
	/* What settling queues is for the next commit, not for this list. */
	*list = (struct entries){0};
	if (!ledger->round.is_bad && entries_commit(ledger, &entries, is_durable, &err) < 0)
		become_bad(ledger, &err);
	if (ledger->round.is_bad)
		entries_give_up(ledger, &entries);
	else
		settle_all(ledger, &entries);
}

static void checkpoint(struct ledger *ledger, int pages_max)
{
	uint64_t started_us = clock_mono_us();
	struct err err = {0};

	if (ledger->round.is_bad || ledger->db.wal_pages < pages_max)
		return;
	if (database_checkpoint(&ledger->db, false, &err) < 0)
		become_bad(ledger, &err);
	ledger->metrics.checkpoint_us += clock_mono_us() - started_us;
}

void round_end(struct ledger *ledger)
{
	struct round *round = &ledger->round;

	peers_lose_failed(ledger);
	/* Starting a job can fail, which queues the record of its end. */
	while (round->early.first != NULL || round->durable.first != NULL) {
		commit_list(ledger, &round->early, false);
		commit_list(ledger, &round->durable, true);
		peers_lose_failed(ledger);
	}
	checkpoint(ledger, CHECKPOINT_PAGES_MAX);
	gate_tell_state(ledger);
	if (ledger->is_draining)
		setup_drain_step(ledger);
}

void round_tick(struct ledger *ledger)
{
	uint64_t bytes_max = ledger->config.ledger.retain_answers_bytes;
	uint64_t now_ms = clock_wall_ms();
	struct err err = {0};
	int status;

	if (ledger->round.is_bad)
		return;
	status = database_has_expired(&ledger->db, now_ms, bytes_max, &err);
	if (status == 1) {
		/* Not durable: what expired twice is forgotten twice. */
		status = database_begin(&ledger->db, false, &err);
		if (status == 0)
			status = database_purge(&ledger->db, now_ms, bytes_max, PURGE_ROWS_TICK,
						&err);
		if (status >= 0)
			status = database_commit(&ledger->db, &err);
		else
			database_rollback(&ledger->db);
	}
	if (status < 0)
		become_bad(ledger, &err);
	if (ledger->executions.count == 0)
		checkpoint(ledger, CHECKPOINT_PAGES_IDLE);
}

void round_init(struct ledger *ledger)
{
	ledger->round.probe = (struct timer){.fire = probe_fire, .owner = ledger};
}

void round_done(struct ledger *ledger)
{
	struct entries *const lists[] = {&ledger->round.early, &ledger->round.durable,
					 &ledger->round.unsettled};

	for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
		struct entry *entry;

		while ((entry = entries_pop(lists[i])) != NULL)
			if (entry->execution == NULL)
				entry_free(entry);
	}
	while (ledger->executions.first != NULL)
		execution_free(ledger->executions.first);
}
