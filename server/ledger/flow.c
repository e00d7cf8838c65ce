#include "server/ledger/flow.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/ledger/body.h"
#include "server/ledger/grant.h"
#include "server/ledger/ledger.h"
#include "server/ledger/ulid.h"

static void flow_move(struct execution *e, enum execution_state state, uint64_t deadline_ms)
{
	waiting_remove(e);
	e->state = state;
	e->hop_us = clock_mono_us();
	if (deadline_ms > 0)
		loop_timer_start(&e->ledger->loop, &e->deadline, deadline_ms * 1000);
	else
		loop_timer_stop(&e->ledger->loop, &e->deadline);
}

static void entry_fill(struct execution *e, enum record_kind kind,
		       void (*body)(const struct execution *, struct buf *))
{
	struct entry *entry = &e->entry;

	entry->kind = kind;
	entry->time_ms = clock_wall_ms();
	(void)snprintf(entry->execution_id, sizeof(entry->execution_id), "%s",
		       e->answer.execution_id);
	(void)snprintf(entry->principal, sizeof(entry->principal), "%s", e->ask.identity);
	buf_done(&entry->body);
	buf_init(&entry->body, BODY_BYTES_MAX);
	body(e, &entry->body);
}

/* --- refused: nothing ran ---------------------------------------------------------------- */

static void refuse_recorded(struct execution *e)
{
	entry_fill(e, RECORD_EXECUTION_REFUSED, body_refused);
	flow_move(e, EXECUTION_COMMITTING, 0);
	round_add(e->ledger, &e->entry);
}

/* Of a validation only what concerns who may ask is worth a record. */
static void refuse_validation(struct execution *e)
{
	bool is_about_access = problem_http(e->refusal.problem) == 401 ||
			       problem_http(e->refusal.problem) == 403;

	if (is_about_access)
		gate_note_refused(e->ledger, e->entry.tenant, e->ask.identity, &e->refusal);
	gate_refuse(e->ledger, e->ask_id, &e->refusal, e->faults_fd);
	execution_free(e);
}

static void refuse_now(struct execution *e)
{
	struct ledger *ledger = e->ledger;

	e->ledger->metrics.refusals[e->refusal.problem]++;
	if (e->is_validation) {
		refuse_validation(e);
		return;
	}
	/* An accepted one must be settled on record, however many there are. */
	if (!e->is_accepted &&
	    !refusals_single(ledger, e->entry.tenant, e->ask.identity, e->refusal.problem)) {
		gate_refuse(ledger, e->ask_id, &e->refusal, e->faults_fd);
		execution_free(e);
		return;
	}
	refuse_recorded(e);
}

void flow_refuse(struct execution *e, uint8_t problem, uint32_t retry_after_s, const char *hint,
		 const char *format, ...)
{
	va_list args;

	e->refusal.problem = problem;
	e->refusal.retry_after_s = retry_after_s;
	va_start(args, format);
	(void)vsnprintf(e->refusal.detail, sizeof(e->refusal.detail), format, args);
	va_end(args);
	(void)snprintf(e->refusal.hint, sizeof(e->refusal.hint), "%s",
		       hint != NULL ? hint : "");
	refuse_now(e);
}

/* --- finished ---------------------------------------------------------------------------- */

static void finish(struct execution *e, uint8_t status)
{
	fd_drop(&e->outcome_fd);
	e->answer.status = status;
	e->answer.total_us = clock_mono_us() - e->asked_us;
	entry_fill(e, RECORD_EXECUTION_FINISHED, body_finished);
	flow_move(e, EXECUTION_COMMITTING, 0);
	round_add(e->ledger, &e->entry);
}

static const char *error_name(uint8_t status)
{
	if (status == STATUS_REJECTED)
		return "Rejected";
	return status == STATUS_CANCELLED ? "Cancelled" : "InternalError";
}

/* An end that no validator has described. `why` is recorded, and NULL for a mere cancellation.
 */
static void finish_bare(struct execution *e, uint8_t status, const char *why)
{
	struct err err = {0};
	struct span members;
	own_buf buf;

	files_keep_stop(&e->keep);
	e->is_keeping = false;
	digest_forget(&e->ledger->digests, &e->members_digest);
	span_done(&e->members);
	fd_drop(&e->members_fd);
	fd_drop(&e->outcome_fd);
	e->answer.exit_code = -1;
	e->answer.signal = 0;
	(void)snprintf(e->refusal.detail, sizeof(e->refusal.detail), "%s",
		       why != NULL ? why : "");
	buf_init(&buf, BODY_BYTES_MAX + LIMIT_FINDINGS_BYTES);
	/* Without memory the answer has no members and is not kept. */
	if (body_empty_members(error_name(status), why, &e->findings, &buf, &members, &err) ==
		    0 &&
	    memfd_from("members", members.data, members.length, &e->members_fd, &err) == 0 &&
	    memfd_map(e->members_fd, LIMIT_FRAGMENT_BYTES, &e->members, &err) == 0)
		digest_start(&e->ledger->digests, &e->members_digest, &e->members);
	finish(e, status);
}

/* --- checking ---------------------------------------------------------------------------- */

static void ask_verdict(struct execution *e)
{
	struct check_code check;

	memcpy(check.policy, e->policy, sizeof(check.policy));
	peer_send(&e->validator->peer, CHECK_CODE, e->number, check_code_encode, &check,
		  &e->body_fd, 1);
}

static void ask_request(struct execution *e)
{
	const struct setup_tenant *tenant = &e->tenant->limits;
	struct check_request check = {
		.wall_ms = tenant->wall_ms_max,
		.cpu_ms = tenant->cpu_ms_max,
		.memory_bytes = tenant->memory_bytes_max,
		.output_bytes = tenant->output_bytes_max,
		.processes = tenant->processes_max,
		.open_files = tenant->open_files_max,
		.workspace_bytes = tenant->workspace_bytes_max,
	};

	memcpy(check.tenant, tenant->name, sizeof(check.tenant));
	memcpy(check.policy, e->policy, sizeof(check.policy));
	peer_send(&e->validator->peer, CHECK_REQUEST, e->number, check_request_encode, &check,
		  &e->body_fd, 1);
}

void flow_check(struct execution *e, int take_body_fd, struct span *take_body)
{
	e->body_fd = take_body_fd;
	e->body = *take_body;
	*take_body = (struct span){.data = ""};
	if (!validators_are_there(e->ledger)) {
		flow_refuse(e, PROBLEM_UNAVAILABLE, 1, "Try again in a second.",
			    "no validator is there to check the request");
		return;
	}
	flow_move(e, EXECUTION_CHECKING, FLOW_CHECK_MS);
	waiting_add(e);
	flow_next_checks(e->ledger);
	if (e->is_validation) {
		span_done(&e->body);
		return;
	}
	/* The validator works meanwhile. */
	digest_start(&e->ledger->digests, &e->body_digest, &e->body);
	if (e->body_digest.is_known)
		span_done(&e->body);
}

static void accept(struct execution *e)
{
	struct answer_execution *answer = &e->answer;

	answer->created_ms = clock_wall_ms();
	ulid_new(answer->created_ms, answer->execution_id);
	memcpy(answer->runtime, e->request.language, sizeof(answer->runtime));
	memcpy(answer->request_id, e->ask.request_id, sizeof(answer->request_id));
	answer->receive_us = e->ask.receive_us;
	answer->exit_code = -1;
	entry_fill(e, RECORD_EXECUTION_ACCEPTED, body_accepted);
	flow_move(e, EXECUTION_ACCEPTED, 0);
	round_add(e->ledger, &e->entry);
}

/* The validator has spoken and the hashes are known: all of it goes on record. */
static void checked(struct execution *e)
{
	if (e->is_validation) {
		refuse_now(e);
		return;
	}
	if (!e->is_checked || !e->body_digest.is_known ||
	    (e->findings_fd >= 0 && !e->findings_digest.is_known))
		return;
	span_done(&e->body);
	if (e->refusal.problem != PROBLEM_NONE)
		refuse_now(e);
	else if (grant_runtime(e) && grant_limits(e))
		accept(e);
}

static void take_findings(struct execution *e, int take_fd)
{
	e->findings_fd = take_fd;
	if (take_fd >= 0)
		digest_start(&e->ledger->digests, &e->findings_digest, &e->findings);
}

int flow_request_good(struct execution *e, const struct request_good *good, int take_payload_fd,
		      int take_findings_fd, struct err *err)
{
	own_fd fd = take_payload_fd;
	own_fd findings_fd = take_findings_fd;
	int status;

	if (e->state != EXECUTION_CHECKING || e->is_checked)
		return 0;
	if (e->is_validation)
		return err_set(err, EPROTO, "a job for a question about code");
	status = memfd_map(fd, LIMIT_PAYLOAD_BYTES, &e->payload, err);
	if (status == 0 && findings_fd >= 0)
		status = memfd_map(findings_fd, LIMIT_FINDINGS_BYTES, &e->findings, err);
	/* What we lack is not the validator's fault. */
	if (status == -ENOMEM) {
		e->validator = NULL;
		flow_refuse(e, PROBLEM_UNAVAILABLE, 1, "Nothing was run: try again.",
			    "out of memory");
		return 0;
	}
	if (status < 0)
		return status;
	if (good->code_offset > e->payload.length ||
	    good->code_bytes > e->payload.length - good->code_offset)
		return err_set(err, EPROTO, "the code lies outside of the payload");
	digest_bytes(e->payload.data + good->code_offset, (size_t)good->code_bytes,
		     e->code_sha256);
	digest_start(&e->ledger->digests, &e->payload_digest, &e->payload);
	if (e->payload_digest.is_known)
		span_done(&e->payload);
	take_findings(e, fd_take(&findings_fd));
	e->request = *good;
	e->payload_fd = fd_take(&fd);
	e->answer.validate_us = clock_mono_us() - e->hop_us;
	e->validator = NULL;
	e->is_checked = true;
	checked(e);
	return 0;
}

int flow_code_good(struct execution *e, const struct code_good *good, int take_members_fd,
		   struct err *err)
{
	own_fd fd = take_members_fd;
	int status;

	if (!e->is_validation)
		return err_set(err, EPROTO, "a verdict that nobody asked for");
	status = memfd_check(fd, LIMIT_FINDINGS_BYTES, err);
	if (status < 0)
		return status;
	/* "accepted" promises that an execution would run. */
	memcpy(e->request.language, good->language, sizeof(e->request.language));
	if (!good->is_read && !grant_runtime(e))
		return 0;
	e->ledger->metrics.validations[good->is_rejected]++;
	metrics_count_findings(&e->ledger->metrics, good->findings);
	gate_answer_validation(e->ledger, e->ask_id, fd);
	execution_free(e);
	return 0;
}

/* JSON array: LIMIT_FAULTS faults of a few KiB; the gate takes as much. */
#define FAULTS_BYTES_MAX (1u << 20)

/* What the gate would refuse must end here, with its maker: the gate would drop the ledger, and
 * every caller with it. */
static int check_faults(int fd, struct err *err)
{
	own_span faults = {.data = ""};
	int status = fd >= 0 ? memfd_map(fd, FAULTS_BYTES_MAX, &faults, err) : 0;

	if (status < 0 || faults.length == 0)
		return status;
	if (faults.data[0] != '[' || faults.data[faults.length - 1] != ']')
		return err_set(err, EPROTO, "the faults are no array");
	return 0;
}

int flow_request_bad(struct execution *e, const struct request_bad *bad, int take_faults_fd,
		     struct err *err)
{
	own_fd fd = take_faults_fd;
	bool is_refusal = problem_http(bad->problem) >= 400 && problem_http(bad->problem) < 500;

	if (e->state != EXECUTION_CHECKING || e->is_checked)
		return 0;
	if (check_faults(fd, err) < 0)
		return -EPROTO;
	/* A validator says what is wrong with a request, never with the service. */
	e->refusal.problem = is_refusal ? bad->problem : PROBLEM_INTERNAL;
	memcpy(e->refusal.detail, bad->detail, sizeof(e->refusal.detail));
	memcpy(e->refusal.hint, bad->hint, sizeof(e->refusal.hint));
	e->faults_fd = fd_take(&fd);
	e->validator = NULL;
	e->is_checked = true;
	checked(e);
	return 0;
}

/* --- accepted, running ------------------------------------------------------------------- */

void flow_accepted(struct execution *e, bool is_written)
{
	static const struct refusal not_recorded = {
		.problem = PROBLEM_NOT_RECORDED,
		.retry_after_s = 2,
		.detail = "the audit record cannot be written, so nothing was run",
		.hint = "Try again later.",
	};

	if (!is_written) {
		e->ledger->metrics.refusals[PROBLEM_NOT_RECORDED]++;
		/* A gate that came since may have used the number for somebody else. */
		if (e->has_caller)
			gate_refuse(e->ledger, e->ask_id, &not_recorded, -1);
		execution_free(e);
		return;
	}
	e->is_accepted = true;
	if (e->is_cancelled) {
		finish_bare(e, STATUS_CANCELLED, "it was cancelled before it ran");
		return;
	}
	if (e->request.is_rejected) {
		finish_bare(e, STATUS_REJECTED,
			    "the policy refused the code, so nothing was run; the findings "
			    "that reject say why and what to do");
		return;
	}
	if (!e->ledger->warden.peer.is_up) {
		flow_refuse(e, PROBLEM_UNAVAILABLE, 1, "Try again in a second.",
			    "the sandbox is restarting; nothing was run");
		return;
	}
	flow_move(e, EXECUTION_RUNNING,
		  e->ledger->config.ledger.queue_ms + e->request.wall_ms + FLOW_RUN_GRACE_MS);
	warden_start(e);
	fd_drop(&e->payload_fd);
}

static void ask_outcome(struct execution *e)
{
	const struct job_done *job = &e->job;
	struct check_outcome check = {.status = job->status,
				      .limit_hit = job->limit_hit,
				      .exit_code = job->exit_code,
				      .signal = job->signal,
				      .stdout_truncated = job->stdout_truncated,
				      .stderr_truncated = job->stderr_truncated,
				      .files_truncated = job->files_truncated,
#define LIMIT(kind, name, low, high) .name = e->request.name,
				      LIMIT_FIELDS(LIMIT)
#undef LIMIT
	};

	memcpy(check.execution_id, e->answer.execution_id, sizeof(check.execution_id));
	check.keep_bytes_max = flow_keep_bytes_max(e->ledger);
	peer_send(&e->validator->peer, CHECK_OUTCOME, e->number, check_outcome_encode, &check,
		  ((const int[]){e->outcome_fd, e->findings_fd}), e->findings_fd >= 0 ? 2 : 1);
	e->is_outcome_asked = true;
	/* Its files are read from it. */
	if (check.keep_bytes_max == 0)
		fd_drop(&e->outcome_fd);
}

static void ask(struct execution *e, struct validator *validator)
{
	waiting_remove(e);
	e->tenant->turn = ++e->ledger->waiting.last_turn;
	e->validator = validator;
	validator->outstanding++;
	if (e->state == EXECUTION_CANONICALIZING)
		ask_outcome(e);
	else if (e->is_validation)
		ask_verdict(e);
	else
		ask_request(e);
	fd_drop(&e->body_fd);
}

void flow_next_checks(struct ledger *ledger)
{
	struct execution *e;

	while ((e = waiting_next(&ledger->waiting)) != NULL) {
		struct validator *validator = validators_pick(ledger);

		if (validator == NULL)
			return;
		ask(e, validator);
	}
}

void flow_job_done(struct execution *e, const struct job_done *done, int take_outcome_fd)
{
	struct answer_execution *answer = &e->answer;
	own_fd fd = take_outcome_fd;

	if (e->state != EXECUTION_RUNNING)
		return;
	e->job = *done;
	answer->limit_hit = done->limit_hit;
	answer->exit_code = done->exit_code;
	answer->signal = done->signal;
	answer->queue_us = done->queue_us;
	answer->start_us = done->start_us;
	answer->run_us = done->run_us;
	answer->collect_us = done->collect_us;
	answer->layers = done->layers;
	answer->landlock_abi = done->landlock_abi;
	answer->cgroup_version = done->cgroup_version;
#define USAGE(kind, name, low, high) answer->name = done->name;
	EXECUTION_USAGE_FIELDS(USAGE)
#undef USAGE
	e->outcome_fd = fd_take(&fd);
	flow_move(e, EXECUTION_CANONICALIZING, FLOW_CANONICALIZE_MS);
	waiting_add(e);
	flow_next_checks(e->ledger);
}

void flow_job_refused(struct execution *e, const struct job_refused *refused)
{
	bool is_busy = problem_http(refused->problem) == 503;

	if (e->state != EXECUTION_RUNNING)
		return;
	if (e->is_cancelled) {
		finish_bare(e, STATUS_CANCELLED, "it was cancelled before it ran");
		return;
	}
	flow_refuse(
		e, refused->problem,
		is_busy && refused->retry_after_s == 0 ? 1 : refused->retry_after_s,
		is_busy ? "Nothing was run: try again after the time in Retry-After." : NULL,
		"%s",
		refused->detail[0] != '\0' ? refused->detail : problem_title(refused->problem));
}

/* --- outcome ----------------------------------------------------------------------------- */

void flow_canonicalized(struct execution *e)
{
	if (!e->is_outcome_asked || e->members_fd < 0 || !e->members_digest.is_known ||
	    !e->payload_digest.is_known || e->is_keeping)
		return;
	finish(e, e->job.status);
}

int flow_outcome_good(struct execution *e, const struct outcome_good *good, int take_members_fd,
		      struct err *err)
{
	own_fd fd = take_members_fd;
	int status;

	if (e->state != EXECUTION_CANONICALIZING || e->members_fd >= 0)
		return 0;
	status = memfd_map(fd, LIMIT_FRAGMENT_BYTES, &e->members, err);
	if (status == -ENOMEM) {
		e->validator = NULL;
		finish_bare(e, STATUS_INTERNAL_ERROR, "out of memory for the outcome");
		return 0;
	}
	if (status < 0)
		return status;
	e->members_fd = fd_take(&fd);
	e->validator = NULL;
	/* The warden knows nothing of these: they are the word of the process that ran the job.
	 */
	e->job.event_counts[EVENT_POLICY] += good->policy_denied;
	e->answer.canonicalize_us = clock_mono_us() - e->hop_us;
	digest_start(&e->ledger->digests, &e->members_digest, &e->members);
	flow_keep_files(e);
	flow_canonicalized(e);
	return 0;
}

void flow_hashed(struct digest *digest)
{
	struct execution *e = digest->owner;

	if (digest == &e->payload_digest)
		span_done(&e->payload);
	if (e->state == EXECUTION_CHECKING)
		checked(e);
	else if (e->state == EXECUTION_CANONICALIZING)
		flow_canonicalized(e);
}

/* --- settled ----------------------------------------------------------------------------- */

static void answer_internal(struct execution *e)
{
	struct refusal refusal = {.problem = PROBLEM_INTERNAL};

	(void)snprintf(refusal.detail, sizeof(refusal.detail),
		       "execution %s ended as internal_error: %.300s", e->answer.execution_id,
		       e->refusal.detail[0] != '\0' ? e->refusal.detail : "the sandbox failed");
	(void)snprintf(
		refusal.hint, sizeof(refusal.hint),
		"The code is not to blame. It may have run in part; GET /v1/executions/%s "
		"shows what is on record.",
		e->answer.execution_id);
	e->ledger->metrics.refusals[PROBLEM_INTERNAL]++;
	gate_refuse(e->ledger, e->ask_id, &refusal, -1);
}

static void count_finished(struct execution *e)
{
	struct runtime *runtime = warden_runtime_find(&e->ledger->warden, e->answer.runtime);

	if (runtime != NULL)
		runtime->executions[e->answer.status]++;
	metrics_count_events(&e->ledger->metrics, &e->job);
	metrics_count_findings(&e->ledger->metrics, e->request.findings);
	histogram_add(&e->ledger->metrics.duration, e->answer.total_us);
}

/* The answer must not leave; the record is written when the database can be again. */
static void not_settled(struct execution *e)
{
	struct refusal refusal = {.problem = PROBLEM_NOT_RECORDED, .retry_after_s = 2};

	(void)snprintf(refusal.detail, sizeof(refusal.detail), "%s%s%s",
		       e->answer.execution_id[0] != '\0' ? "execution " : "the refusal",
		       e->answer.execution_id, " cannot be recorded, so it is not answered");
	(void)snprintf(refusal.hint, sizeof(refusal.hint), "Try again later.");
	e->ledger->metrics.refusals[PROBLEM_NOT_RECORDED]++;
	if (e->has_caller)
		gate_refuse(e->ledger, e->ask_id, &refusal, -1);
	execution_forget_caller(e);
	execution_release_slot(e);
	e->state = EXECUTION_UNSETTLED;
}

void flow_settled(struct execution *e, bool is_written)
{
	bool is_finished = e->entry.kind == RECORD_EXECUTION_FINISHED;

	if (!is_written) {
		not_settled(e);
		return;
	}
	if (is_finished)
		count_finished(e);
	if (!e->has_caller)
		;
	else if (!is_finished)
		gate_refuse(e->ledger, e->ask_id, &e->refusal, e->faults_fd);
	else if (e->answer.status == STATUS_INTERNAL_ERROR || e->members_fd < 0)
		answer_internal(e);
	else
		gate_answer(e->ledger, e->ask_id, &e->answer, e->members_fd);
	execution_free(e);
}

/* --- everything else that can happen ----------------------------------------------------- */

static void ignore(struct execution *e)
{
	(void)e;
}

static void cancel_check(struct execution *e)
{
	if (e->is_validation) {
		execution_free(e);
		return;
	}
	e->is_cancelled = true;
	(void)snprintf(e->refusal.detail, sizeof(e->refusal.detail),
		       "the caller left before the request was checked");
	e->refusal.problem = PROBLEM_NONE;
	refuse_recorded(e);
}

static void cancel_accepted(struct execution *e)
{
	e->is_cancelled = true; /* flow_accepted() looks */
}

static void cancel_running(struct execution *e)
{
	if (e->is_cancelled)
		return;
	e->is_cancelled = true;
	warden_cancel(e);
	loop_timer_start(&e->ledger->loop, &e->deadline, FLOW_CANCEL_MS * 1000);
}

static void mark_late(struct execution *e)
{
	if (e->validator != NULL)
		validator_is_late(e->validator);
	e->validator = NULL;
}

static void check_late(struct execution *e)
{
	if (e->is_waiting) {
		flow_refuse(e, PROBLEM_QUEUE_TIMEOUT, 1,
			    "Nothing was run: try again after the time in Retry-After.",
			    "no validator had room for the request in time");
		return;
	}
	mark_late(e);
	flow_refuse(e, PROBLEM_INTERNAL, 0, NULL, "the request was not checked in time");
}

static void check_lost(struct execution *e)
{
	flow_refuse(e, PROBLEM_INTERNAL, 0, "Nothing was run. If it happens again, report it.",
		    "the validator failed while it checked the request");
}

static void run_late(struct execution *e)
{
	warden_cancel(e);
	finish_bare(e, e->is_cancelled ? STATUS_CANCELLED : STATUS_INTERNAL_ERROR,
		    "the sandbox did not answer in time");
}

static void run_lost(struct execution *e)
{
	finish_bare(e, STATUS_INTERNAL_ERROR, "the sandbox process was lost");
}

static void outcome_late(struct execution *e)
{
	if (e->is_keeping) {
		flow_keep_late(e);
		return;
	}
	mark_late(e);
	finish_bare(e, STATUS_INTERNAL_ERROR, "the outcome was not checked in time");
}

static void outcome_lost(struct execution *e)
{
	finish_bare(e, STATUS_INTERNAL_ERROR,
		    "the validator failed while it checked the outcome");
}

static void (*const actions[EXECUTION_STATE_COUNT][FLOW_EVENT_COUNT])(struct execution *) = {
	/* state                     cancel           late          validator lost  warden lost
	 */
	[EXECUTION_CHECKING] = {cancel_check, check_late, check_lost, ignore},
	[EXECUTION_ACCEPTED] = {cancel_accepted, ignore, ignore, ignore},
	[EXECUTION_RUNNING] = {cancel_running, run_late, ignore, run_lost},
	[EXECUTION_CANONICALIZING] = {ignore, outcome_late, outcome_lost, ignore},
	[EXECUTION_COMMITTING] = {ignore, ignore, ignore, ignore},
	[EXECUTION_UNSETTLED] = {ignore, ignore, ignore, ignore},
};

void flow_event(struct execution *e, enum flow_event event)
{
	actions[e->state][event](e);
}

void flow_deadline(struct loop *loop, struct timer *timer)
{
	(void)loop;
	flow_event(timer->owner, FLOW_LATE);
}
