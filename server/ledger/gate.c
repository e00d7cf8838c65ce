/* The gate: its questions, admission, its answers. See peers.h. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "server/ledger/admit.h"
#include "server/ledger/body.h"
#include "server/ledger/flow.h"
#include "server/ledger/ledger.h"
#include "server/ledger/ulid.h"

/* --- answers ----------------------------------------------------------------------------- */

void gate_refuse(struct ledger *ledger, uint64_t ask_id, const struct refusal *refusal,
		 int faults_fd)
{
	struct answer_refused answer = {.problem = refusal->problem,
					.retry_after_s = refusal->retry_after_s};

	memcpy(answer.detail, refusal->detail, sizeof(answer.detail));
	memcpy(answer.hint, refusal->hint, sizeof(answer.hint));
	peer_send(&ledger->gate.peer, ANSWER_REFUSED, ask_id, answer_refused_encode, &answer,
		  &faults_fd, faults_fd >= 0 ? 1 : 0);
}

void gate_answer(struct ledger *ledger, uint64_t ask_id, const struct answer_execution *answer,
		 int members_fd)
{
	peer_send(&ledger->gate.peer, ANSWER_EXECUTION, ask_id, answer_execution_encode, answer,
		  &members_fd, 1);
}

void gate_answer_validation(struct ledger *ledger, uint64_t ask_id, int members_fd)
{
	const struct answer_validation answer = {0};

	peer_send(&ledger->gate.peer, ANSWER_VALIDATION, ask_id, answer_validation_encode,
		  &answer, &members_fd, 1);
}

/* --- state ------------------------------------------------------------------------------- */

static const char *missing(const struct ledger *ledger)
{
	const struct warden *warden = &ledger->warden;

	if (ledger->is_draining)
		return "draining";
	if (ledger->round.is_bad)
		return ledger->round.reason;
	if (!validators_are_there(ledger))
		return "no validator is there";
	if (!warden->peer.is_up)
		return "the warden is not there";
	if (!warden_has_worker(warden))
		return "no runtime has a ready worker";
	return "";
}

void gate_tell_state(struct ledger *ledger)
{
	struct gate *gate = &ledger->gate;
	struct tell_state state = {0};

	if (!gate->peer.is_up)
		return;
	(void)snprintf(state.reason, sizeof(state.reason), "%s", missing(ledger));
	state.is_ready = state.reason[0] == '\0';
	if (gate->has_state && gate->told.is_ready == state.is_ready &&
	    strcmp(gate->told.reason, state.reason) == 0)
		return;
	if (!gate->has_state || gate->told.is_ready != state.is_ready)
		log_event(LOG_INFO, state.is_ready ? "ready" : "not_ready",
			  LOG_STR("reason", state.reason));
	gate->told = state;
	gate->has_state = true;
	peer_send(&gate->peer, TELL_STATE, 0, tell_state_encode, &state, NULL, 0);
}

void gate_tell_all(struct ledger *ledger)
{
	struct gate *gate = &ledger->gate;
	struct warden *warden = &ledger->warden;

	for (size_t i = 0; i < warden->runtime_count; i++)
		if (warden->runtimes[i].is_announced)
			peer_send(&gate->peer, TELL_RUNTIME, 0, warden_runtime_encode,
				  &warden->runtimes[i].told, NULL, 0);
	if (warden->has_capabilities)
		peer_send(&gate->peer, TELL_CAPABILITIES, 0, warden_capabilities_encode,
			  &warden->capabilities, NULL, 0);
	gate_tell_state(ledger);
}

/* --- questions --------------------------------------------------------------------------- */

/* What this process lacks is no fault of the peer's. */
static bool is_own_want(int status)
{
	return status == -ENOMEM || status == -EMFILE || status == -ENFILE;
}

static int serve_code(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = ((struct gate *)owner)->peer.ledger;
	struct ask_execute ask;
	own_fd body_fd = msg_take_fd(msg, 0);
	own_span body = {.data = ""};
	int status = ask_execute_decode(msg->body, msg->length, &ask, err);

	if (status == 0)
		status = memfd_map(body_fd, LIMIT_BODY_BYTES, &body, err);
	if (is_own_want(status)) {
		admit_without_memory(ledger, msg->id);
		return 0;
	}
	if (status < 0)
		return status;
	if (execution_by_ask(&ledger->executions, msg->id) != NULL)
		return err_set(err, EPROTO, "question %llu is asked twice",
			       (unsigned long long)msg->id);
	admit_execute(ledger, msg->id, &ask, msg->type == ASK_VALIDATE, fd_take(&body_fd),
		      &body);
	return 0;
}

void gate_note_refused(struct ledger *ledger, const char *tenant, const char *identity,
		       const struct refusal *refusal)
{
	own_buf buf = {0};
	struct jsonw json;

	if (!refusals_single(ledger, tenant, identity, refusal->problem))
		return;
	buf_init(&buf, BODY_BYTES_MAX);
	jsonw_init(&json, &buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "problem", problem_code(refusal->problem));
	jsonw_key_str(&json, "detail", refusal->detail);
	jsonw_object_close(&json);
	round_note(ledger, RECORD_ACCESS_REFUSED, tenant, identity, &buf);
}

/* Whom the question comes from. NULL: it has been refused. */
static const struct principal *asker(struct ledger *ledger, uint64_t ask_id, uint8_t kind,
				     const char *identity)
{
	struct refusal refusal = {0};
	const struct principal *principal = admit_identity(ledger, kind, identity, &refusal);

	if (principal != NULL)
		return principal;
	ledger->metrics.refusals[refusal.problem]++;
	gate_note_refused(ledger, "", identity, &refusal);
	gate_refuse(ledger, ask_id, &refusal, -1);
	return NULL;
}

static const char no_file[] = "there is no such file to fetch: it came with the answer, was "
			      "too large to keep, or is no "
			      "longer kept";

static void answer_not_found(struct ledger *ledger, uint64_t ask_id, const char *detail)
{
	struct refusal refusal = {.problem = PROBLEM_NOT_FOUND};

	(void)snprintf(refusal.detail, sizeof(refusal.detail), "%s", detail);
	ledger->metrics.refusals[PROBLEM_NOT_FOUND]++;
	gate_refuse(ledger, ask_id, &refusal, -1);
}

static void answer_unavailable(struct ledger *ledger, uint64_t ask_id, const struct err *why)
{
	struct refusal refusal = {.problem = PROBLEM_UNAVAILABLE,
				  .retry_after_s = 2,
				  .detail = "the database cannot be read"};

	ledger->metrics.database_errors++;
	log_event(LOG_ERROR, "read_failed", LOG_STR("reason", why->text));
	gate_refuse(ledger, ask_id, &refusal, -1);
}

/* Another tenant's execution is answered like one that never was: its existence is a secret
 * too. */
static int serve_execution(void *owner, struct msg *msg, struct err *err)
{
	static const char nothing[] = "there is no execution of this id, or it has expired";
	struct ledger *ledger = ((struct gate *)owner)->peer.ledger;
	const struct principal *principal;
	struct ask_execution ask;
	struct kept_answer kept;
	struct err why = {0};
	own_fd fd = -1;
	int status = ask_execution_decode(msg->body, msg->length, &ask, err);

	if (status < 0)
		return status;
	principal = asker(ledger, msg->id, ask.identity_kind, ask.identity);
	if (principal == NULL)
		return 0;
	status = ulid_is_valid(ask.execution_id)
			 ? database_find(&ledger->db, ask.execution_id, &kept, &fd, &why)
			 : 0;
	if (status < 0)
		answer_unavailable(ledger, msg->id, &why);
	else if (status == 0 || strcmp(kept.tenant, principal->tenant->limits.name) != 0 ||
		 kept.expires_ms <= clock_wall_ms())
		answer_not_found(ledger, msg->id, nothing);
	else if (fd < 0)
		answer_not_found(ledger, msg->id,
				 "the answer was too large to keep; its record is kept");
	else
		gate_answer(ledger, msg->id, &kept.answer, fd);
	return 0;
}

/* The whole part has been read, or cannot be. */
static void file_read(struct files_job *job, const struct err *why)
{
	struct files_read *read = (struct files_read *)(void *)job;
	struct ledger *ledger =
		(struct ledger *)(void *)((char *)job->files - offsetof(struct ledger, files));
	struct answer_file answer = {.size = read->facts.size};

	memcpy(answer.sha256, read->facts.sha256, sizeof(answer.sha256));
	if (why != NULL && why->code == ENOENT)
		answer_not_found(ledger, read->ask_id, no_file);
	else if (why != NULL)
		answer_unavailable(ledger, read->ask_id, why);
	else
		peer_send(&ledger->gate.peer, ANSWER_FILE, read->ask_id, answer_file_encode,
			  &answer, &read->fd, 1);
	files_read_free(read);
}

static const struct refusal busy = {
	.problem = PROBLEM_QUEUE_FULL,
	.retry_after_s = 1,
	.detail = "too many files are being read at once",
	.hint = "Try again after the time in Retry-After.",
};

/* No output leaves that is not on record, this way neither. */
static const struct refusal not_recorded = {
	.problem = PROBLEM_NOT_RECORDED,
	.retry_after_s = 2,
	.detail = "the execution's end is not on record yet",
	.hint = "Try again after the time in Retry-After.",
};

static void answer_later(struct ledger *ledger, uint64_t ask_id, const struct refusal *why)
{
	ledger->metrics.refusals[why->problem]++;
	gate_refuse(ledger, ask_id, why, -1);
}

static int serve_file(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = ((struct gate *)owner)->peer.ledger;
	const struct principal *principal;
	struct answer_file answer;
	struct file_facts facts;
	struct ask_file ask;
	struct err why = {0};
	int status = ask_file_decode(msg->body, msg->length, &ask, err);

	if (status < 0)
		return status;
	principal = asker(ledger, msg->id, ask.identity_kind, ask.identity);
	if (principal == NULL)
		return 0;
	status = ulid_is_valid(ask.execution_id)
			 ? files_find(&ledger->files, ask.execution_id, ask.path,
				      clock_wall_ms(), &facts, &why)
			 : 0;
	if (status < 0) {
		answer_unavailable(ledger, msg->id, &why);
		return 0;
	}
	/* Another tenant's file, one that has expired and one that never was: the same answer.
	 */
	if (status == 0 || strcmp(facts.tenant, principal->tenant->limits.name) != 0) {
		answer_not_found(ledger, msg->id, no_file);
		return 0;
	}
	if (execution_by_id(&ledger->executions, ask.execution_id) != NULL) {
		answer_later(ledger, msg->id, &not_recorded);
		return 0;
	}
	if (ask.offset > facts.size || ask.length > facts.size - ask.offset)
		return err_set(err, EPROTO, "a part that lies outside of its file");
	if (ask.length > 0) {
		if (files_read_start(&ledger->files, &facts, ask.offset, ask.length, msg->id,
				     file_read) == NULL)
			answer_later(ledger, msg->id, &busy);
		return 0;
	}
	answer = (struct answer_file){.size = facts.size};
	memcpy(answer.sha256, facts.sha256, sizeof(answer.sha256));
	peer_send(&ledger->gate.peer, ANSWER_FILE, msg->id, answer_file_encode, &answer, NULL,
		  0);
	return 0;
}

static int serve_view(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = ((struct gate *)owner)->peer.ledger;
	const struct principal *principal;
	struct answer_view answer = {0};
	struct ask_view ask;
	int status = ask_view_decode(msg->body, msg->length, &ask, err);

	if (status < 0)
		return status;
	principal = asker(ledger, msg->id, ask.identity_kind, ask.identity);
	if (principal == NULL)
		return 0;
	if (ask.view == VIEW_METRICS && (principal->entry.roles & ROLE_OPERATOR) == 0) {
		const struct refusal refusal = {.problem = PROBLEM_FORBIDDEN,
						.detail = "metrics need the role operator"};

		ledger->metrics.refusals[PROBLEM_FORBIDDEN]++;
		gate_refuse(ledger, msg->id, &refusal, -1);
		return 0;
	}
	answer.view = ask.view;
	memcpy(answer.tenant, principal->tenant->limits.name, sizeof(answer.tenant));
	peer_send(&ledger->gate.peer, ANSWER_VIEW, msg->id, answer_view_encode, &answer, NULL,
		  0);
	return 0;
}

#define METRICS_BYTES_MAX (4u << 20) /* 64 runtimes with all statuses take 100 KiB */

static int serve_metrics(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = ((struct gate *)owner)->peer.ledger;
	struct answer_metrics answer = {0};
	struct ask_metrics ask;
	struct err why = {0};
	own_fd fd = -1;
	own_buf buf;
	int status = ask_metrics_decode(msg->body, msg->length, &ask, err);

	if (status < 0)
		return status;
	buf_init(&buf, METRICS_BYTES_MAX);
	metrics_write(ledger, &buf);
	if (buf_check(&buf, &why) < 0 ||
	    memfd_from("metrics", buf.data, buf.length, &fd, &why) < 0) {
		const struct refusal refusal = {.problem = PROBLEM_INTERNAL,
						.detail = "out of memory"};

		gate_refuse(ledger, msg->id, &refusal, -1);
		return 0;
	}
	peer_send(&ledger->gate.peer, ANSWER_METRICS, msg->id, answer_metrics_encode, &answer,
		  &fd, 1);
	return 0;
}

static int serve_cancel(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = ((struct gate *)owner)->peer.ledger;
	struct execution *e;
	struct ask_cancel ask;
	int status = ask_cancel_decode(msg->body, msg->length, &ask, err);

	if (status < 0)
		return status;
	e = execution_by_ask(&ledger->executions, msg->id);
	if (e == NULL)
		return 0; /* answered meanwhile */
	execution_forget_caller(e);
	flow_event(e, FLOW_CANCEL);
	return 0;
}

static int serve_tls_refused(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = ((struct gate *)owner)->peer.ledger;
	struct front_refused refused;
	int status = front_refused_decode(msg->body, msg->length, &refused, err);

	if (status == 0)
		refusals_handshake(ledger, &refused);
	return status;
}

static const struct route routes[] = {
	{ASK_EXECUTE, 1, 1, 1, serve_code},
	{ASK_VALIDATE, 1, 1, 1, serve_code},
	{ASK_EXECUTION, 1, 0, 0, serve_execution},
	{ASK_VIEW, 1, 0, 0, serve_view},
	{ASK_METRICS, 1, 0, 0, serve_metrics},
	{ASK_CANCEL, 1, 0, 0, serve_cancel},
	{TELL_TLS_REFUSED, 1, 0, 0, serve_tls_refused},
	{ASK_FILE, 1, 0, 0, serve_file},
};

static void serve(struct chan *chan, struct msg *msg)
{
	struct gate *gate = chan->owner;
	struct err err = {0};

	if (route_dispatch(routes, ARRAY_COUNT(routes), 1, gate, msg, &err) < 0)
		peer_refuse(&gate->peer, msg, &err);
}

/* All its callers have left with it. */
static void lost(struct peer *peer)
{
	struct execution *next;

	files_read_stop_all(&peer->ledger->files);
	peer->ledger->gate.has_state = false;
	for (struct execution *e = peer->ledger->executions.first; e != NULL; e = next) {
		next = e->next;
		if (!e->has_caller)
			continue;
		execution_forget_caller(e);
		flow_event(e, FLOW_CANCEL);
	}
}

void gate_init(struct ledger *ledger)
{
	peer_init(&ledger->gate.peer, ledger, "gate", serve, lost);
}
