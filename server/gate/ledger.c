#include "server/gate/ledger.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/gate/conn.h"
#include "server/gate/file.h"
#include "server/gate/reply.h"

#define BODY_MAX      4096	 /* encoded question: names and ids, under 1 KiB */
#define METRICS_MAX   (2u << 20) /* text from the ledger */
#define FAULTS_MAX    (1u << 20) /* JSON array: LIMIT_FAULTS faults of a few hundred bytes */
#define CHANNEL_STATE 1		 /* the channel has one state only */

/* --- loss -------------------------------------------------------------------------------- */

/* The ledger settles the record of what was running when it is back; the callers are told now.
 */
static void lost(struct gate *gate, const char *why)
{
	log_event(LOG_ERROR, "ledger_lost", LOG_STR("why", why));
	chan_close(&gate->ledger);
	gate->metrics.ledger_lost++;
	gate->state = (struct tell_state){.is_ready = 0};
	for (uint32_t slot = 0; slot < GATE_SLOTS; slot++) {
		struct conn *conn = gate->conns[slot];

		if (conn == NULL || conn->is_dead || conn->ask == ASK_NOTHING)
			continue;
		conn->ask = ASK_NOTHING;
		reply_problem(conn, PROBLEM_UNAVAILABLE,
			      "the part of the service that keeps the record is restarting",
			      "Try again; if this was an execution, it may have run.");
	}
}

static void channel_lost(struct chan *chan, const struct err *why)
{
	lost(chan->owner, why->text);
}

/* --- questions --------------------------------------------------------------------------- */

#define FILL_IDENTITY(message, conn)                                                      \
	do {                                                                              \
		(message)->identity_kind = (conn)->who.identity_kind;                     \
		memcpy((message)->identity, (conn)->who.identity,                         \
		       sizeof((message)->identity));                                      \
		memcpy((message)->serial, (conn)->who.serial, sizeof((message)->serial)); \
		memcpy((message)->fingerprint, (conn)->who.fingerprint,                   \
		       sizeof((message)->fingerprint));                                   \
		memcpy((message)->peer, (conn)->who.peer, sizeof((message)->peer));       \
		memcpy((message)->request_id, (conn)->request.request_id,                 \
		       sizeof((message)->request_id));                                    \
		memcpy((message)->traceparent, (conn)->request.traceparent,               \
		       sizeof((message)->traceparent));                                   \
	} while (0)

struct question {
	uint16_t type;
	enum conn_ask ask;
	const struct wr *body;
	int fd; /* -1: none */
};

static void put(struct conn *conn, const struct question *question)
{
	struct gate *gate = conn->gate;
	struct err err = {0};
	int status;

	conn->state = CONN_ASKED;
	conn->ask = question->ask;
	/* The slot finds the connection, the count tells late answers from this one's. */
	conn->ask_id = (uint64_t)++gate->ask_count << 32 | conn->slot;
	/* What waits for a validator may wait longer than a look-up. */
	deadline_start(&gate->deadlines, &conn->deadline,
		       question->fd >= 0 ? DEADLINE_EXECUTE : DEADLINE_ASK);
	if (question->body->has_failed)
		status = err_set(&err, E2BIG, "question %u does not fit", question->type);
	else
		status = chan_send(&gate->ledger, question->type, conn->ask_id,
				   question->body->data, question->body->length, &question->fd,
				   question->fd >= 0 ? 1 : 0, &err);
	if (status < 0)
		lost(gate, err.text);
}

/* Without a ledger nothing is asked, and nobody else's request is touched. */
static bool is_there(struct conn *conn)
{
	if (conn->gate->ledger.fd >= 0)
		return true;
	reply_problem(conn, PROBLEM_UNAVAILABLE,
		      "the part of the service that keeps the record is restarting",
		      "Try again.");
	return false;
}

static void ask_with_body(struct conn *conn, uint16_t type, enum conn_ask asked)
{
	struct ask_execute ask = {.receive_us = clock_mono_us() - conn->request.started_us};
	uint8_t body[BODY_MAX];
	struct wr wr;

	if (is_there(conn)) {
		FILL_IDENTITY(&ask, conn);
		wr_init(&wr, body, sizeof(body));
		ask_execute_encode(&wr, &ask);
		put(conn, &(struct question){type, asked, &wr, conn->body_fd});
	}
	conn_drop_body(conn);
}

void ledger_ask_execute(struct conn *conn)
{
	ask_with_body(conn, ASK_EXECUTE, ASKED_EXECUTE);
}

void ledger_ask_validate(struct conn *conn)
{
	ask_with_body(conn, ASK_VALIDATE, ASKED_VALIDATE);
}

void ledger_ask_execution(struct conn *conn)
{
	struct ask_execution ask = {0};
	uint8_t body[BODY_MAX];
	struct wr wr;

	if (!is_there(conn))
		return;
	FILL_IDENTITY(&ask, conn);
	memcpy(ask.execution_id, conn->request.execution_id, sizeof(ask.execution_id));
	wr_init(&wr, body, sizeof(body));
	ask_execution_encode(&wr, &ask);
	put(conn, &(struct question){ASK_EXECUTION, ASKED_EXECUTION, &wr, -1});
}

void ledger_ask_file(struct conn *conn, uint64_t offset, uint64_t length)
{
	struct ask_file ask = {.offset = offset, .length = length};
	uint8_t body[BODY_MAX];
	struct wr wr;

	if (!is_there(conn))
		return;
	FILL_IDENTITY(&ask, conn);
	memcpy(ask.execution_id, conn->request.execution_id, sizeof(ask.execution_id));
	memcpy(ask.path, conn->file->path, sizeof(ask.path));
	wr_init(&wr, body, sizeof(body));
	ask_file_encode(&wr, &ask);
	put(conn, &(struct question){ASK_FILE, ASKED_FILE, &wr, -1});
}

void ledger_ask_view(struct conn *conn, enum view view)
{
	struct ask_view ask = {.view = (uint8_t)view};
	uint8_t body[BODY_MAX];
	struct wr wr;

	if (!is_there(conn))
		return;
	FILL_IDENTITY(&ask, conn);
	wr_init(&wr, body, sizeof(body));
	ask_view_encode(&wr, &ask);
	put(conn, &(struct question){ASK_VIEW, ASKED_VIEW, &wr, -1});
}

void ledger_ask_metrics(struct conn *conn)
{
	struct ask_metrics ask = {.empty = 0};
	uint8_t body[8];
	struct wr wr;

	/* The gate's own counters are worth having above all when the ledger is away. */
	if (conn->gate->ledger.fd < 0) {
		reply_metrics(conn, TEXT(""));
		return;
	}
	wr_init(&wr, body, sizeof(body));
	ask_metrics_encode(&wr, &ask);
	put(conn, &(struct question){ASK_METRICS, ASKED_METRICS, &wr, -1});
}

void ledger_forget(struct conn *conn)
{
	struct gate *gate = conn->gate;
	struct ask_cancel cancel = {.empty = 0};
	enum conn_ask asked = conn->ask;
	struct err err = {0};
	uint8_t body[8];
	struct wr wr;

	conn->ask = ASK_NOTHING;
	if ((asked != ASKED_EXECUTE && asked != ASKED_VALIDATE) || gate->ledger.fd < 0)
		return;
	wr_init(&wr, body, sizeof(body));
	ask_cancel_encode(&wr, &cancel);
	if (chan_send(&gate->ledger, ASK_CANCEL, conn->ask_id, body, wr.length, NULL, 0, &err) <
	    0)
		lost(gate, err.text);
}

void ledger_timed_out(struct conn *conn)
{
	log_event(LOG_WARN, "ledger_silent", LOG_STR("request_id", conn->request.request_id));
	ledger_forget(conn);
	if (!conn->is_dead)
		reply_problem(conn, PROBLEM_UNAVAILABLE, "no answer came in time",
			      "Try again.");
}

void ledger_tell_refused(struct gate *gate, const struct front_refused *refused)
{
	struct err err = {0};
	uint8_t body[BODY_MAX];
	struct wr wr;

	if (gate->ledger.fd < 0)
		return;
	wr_init(&wr, body, sizeof(body));
	front_refused_encode(&wr, refused);
	if (chan_send(&gate->ledger, TELL_TLS_REFUSED, 0, body, wr.length, NULL, 0, &err) < 0)
		lost(gate, err.text);
}

/* --- answers
 * -------------------------------------------------------------------------------------------
 */

/* The asking connection, its question closed; NULL when the caller has left (a late answer is
 * dropped). -EPROTO when the answer is not one to that question. */
static int answer_take(struct gate *gate, uint64_t id, unsigned asks, struct conn **ret,
		       struct err *err)
{
	struct conn *conn = conn_asking(gate, id);

	if (conn != NULL && (asks & 1u << conn->ask) == 0)
		return err_set(err, EPROTO, "the answer does not fit question %u", conn->ask);
	if (conn != NULL)
		conn->ask = ASK_NOTHING;
	*ret = conn;
	return 0;
}

static int serve_refused(void *owner, struct msg *msg, struct err *err)
{
	struct answer_refused answer;
	own_span faults = {.data = ""};
	struct refusal refusal = {0};
	struct conn *conn = NULL;

	if (answer_refused_decode(msg->body, msg->length, &answer, err) < 0 ||
	    (msg->fd_count > 0 && memfd_map(msg->fds[0], FAULTS_MAX, &faults, err) < 0))
		return -EPROTO;
	if (faults.length > 0 &&
	    (faults.data[0] != '[' || faults.data[faults.length - 1] != ']'))
		return err_set(err, EPROTO, "the faults are no array");
	if (answer_take(owner, msg->id, ~0u, &conn, err) < 0)
		return -EPROTO;
	if (conn == NULL)
		return 0;
	refusal.problem = answer.problem;
	refusal.retry_after_s = answer.retry_after_s;
	refusal.detail = answer.detail;
	refusal.hint = answer.hint;
	refusal.errors = (struct text){faults.data, faults.length};
	reply_refusal(conn, &refusal);
	return 0;
}

static int serve_execution(void *owner, struct msg *msg, struct err *err)
{
	struct answer_execution answer;
	own_span members = {.data = ""};
	struct conn *conn = NULL;

	if (answer_execution_decode(msg->body, msg->length, &answer, err) < 0 ||
	    memfd_map(msg->fds[0], LIMIT_FRAGMENT_BYTES, &members, err) < 0 ||
	    answer_take(owner, msg->id, 1u << ASKED_EXECUTE | 1u << ASKED_EXECUTION, &conn,
			err) < 0)
		return -EPROTO;
	if (conn != NULL)
		reply_execution(conn, &answer, &members);
	return 0;
}

static int serve_validation(void *owner, struct msg *msg, struct err *err)
{
	struct answer_validation answer;
	own_span members = {.data = ""};
	struct conn *conn = NULL;

	if (answer_validation_decode(msg->body, msg->length, &answer, err) < 0 ||
	    memfd_map(msg->fds[0], LIMIT_FINDINGS_BYTES, &members, err) < 0 ||
	    answer_take(owner, msg->id, 1u << ASKED_VALIDATE, &conn, err) < 0)
		return -EPROTO;
	if (conn != NULL)
		reply_validation(conn, (struct text){members.data, members.length});
	return 0;
}

static int serve_file(void *owner, struct msg *msg, struct err *err)
{
	struct answer_file answer;
	own_span content = {.data = ""};
	struct conn *conn = NULL;

	if (answer_file_decode(msg->body, msg->length, &answer, err) < 0 ||
	    (msg->fd_count > 0 &&
	     memfd_map(msg->fds[0], LIMIT_FILES_READ_BYTES, &content, err) < 0) ||
	    answer_take(owner, msg->id, 1u << ASKED_FILE, &conn, err) < 0)
		return -EPROTO;
	if (conn == NULL || file_answered(conn, &answer, &content, msg->fd_count > 0))
		return 0;
	reply_problem(conn, PROBLEM_INTERNAL, "the file came otherwise than asked for", NULL);
	return err_set(err, EPROTO, "a file that does not fit the question");
}

static int serve_view(void *owner, struct msg *msg, struct err *err)
{
	struct answer_view answer;
	struct conn *conn = NULL;

	if (answer_view_decode(msg->body, msg->length, &answer, err) < 0 ||
	    answer_take(owner, msg->id, 1u << ASKED_VIEW, &conn, err) < 0)
		return -EPROTO;
	if (conn == NULL)
		return 0;
	if (conn->request.action == ENDPOINT_METRICS)
		ledger_ask_metrics(conn);
	else
		reply_view(conn);
	return 0;
}

static int serve_metrics(void *owner, struct msg *msg, struct err *err)
{
	struct answer_metrics answer;
	own_span text = {.data = ""};
	struct conn *conn = NULL;

	if (answer_metrics_decode(msg->body, msg->length, &answer, err) < 0 ||
	    memfd_map(msg->fds[0], METRICS_MAX, &text, err) < 0 ||
	    answer_take(owner, msg->id, 1u << ASKED_METRICS, &conn, err) < 0)
		return -EPROTO;
	if (conn != NULL)
		reply_metrics(conn, (struct text){text.data, text.length});
	return 0;
}

static int serve_state(void *owner, struct msg *msg, struct err *err)
{
	struct gate *gate = owner;
	uint8_t was_ready = gate->state.is_ready;

	if (tell_state_decode(msg->body, msg->length, &gate->state, err) < 0)
		return -EPROTO;
	if (gate->state.is_ready != was_ready)
		log_event(LOG_INFO,
			  gate->state.is_ready ? "service_ready" : "service_not_ready",
			  LOG_STR("reason", gate->state.reason));
	return 0;
}

static int serve_runtime(void *owner, struct msg *msg, struct err *err)
{
	struct gate *gate = owner;
	struct tell_runtime runtime;
	size_t at = 0;

	if (tell_runtime_decode(msg->body, msg->length, &runtime, err) < 0)
		return -EPROTO;
	while (at < gate->runtime_count && strcmp(gate->runtimes[at]->name, runtime.name) != 0)
		at++;
	if (at == DOCUMENT_RUNTIMES_MAX)
		return err_set(err, EPROTO, "more than %d runtimes", DOCUMENT_RUNTIMES_MAX);
	if (at == gate->runtime_count) {
		gate->runtimes[at] = malloc(sizeof(runtime));
		if (gate->runtimes[at] == NULL)
			return err_set(err, ENOMEM, "no memory for a runtime");
		gate->runtime_count++;
	}
	*gate->runtimes[at] = runtime;
	return 0;
}

static int serve_capabilities(void *owner, struct msg *msg, struct err *err)
{
	struct gate *gate = owner;

	return tell_capabilities_decode(msg->body, msg->length, &gate->capabilities, err);
}

static const struct route ledger_routes[] = {
	/* type             state          descriptors  server */
	{ANSWER_REFUSED, CHANNEL_STATE, 0, 1, serve_refused},
	{ANSWER_EXECUTION, CHANNEL_STATE, 1, 1, serve_execution},
	{ANSWER_VALIDATION, CHANNEL_STATE, 1, 1, serve_validation},
	{ANSWER_VIEW, CHANNEL_STATE, 0, 0, serve_view},
	{ANSWER_METRICS, CHANNEL_STATE, 1, 1, serve_metrics},
	{ANSWER_FILE, CHANNEL_STATE, 0, 1, serve_file},
	{TELL_STATE, CHANNEL_STATE, 0, 0, serve_state},
	{TELL_RUNTIME, CHANNEL_STATE, 0, 0, serve_runtime},
	{TELL_CAPABILITIES, CHANNEL_STATE, 0, 0, serve_capabilities},
};

static void serve(struct chan *chan, struct msg *msg)
{
	struct gate *gate = chan->owner;
	struct err err = {0};

	if (route_dispatch(ledger_routes, ARRAY_COUNT(ledger_routes), CHANNEL_STATE, gate, msg,
			   &err) < 0)
		lost(gate, err.text);
}

int ledger_open(struct gate *gate, int take_fd, struct err *err)
{
	own_fd fd = take_fd;

	if (gate->ledger.fd >= 0)
		lost(gate, "the supervisor introduced another ledger");
	for (size_t i = 0; i < gate->runtime_count; i++)
		free(gate->runtimes[i]);
	gate->runtime_count = 0;
	gate->ledger.serve = serve;
	gate->ledger.lost = channel_lost;
	gate->ledger.owner = gate;
	return chan_open(&gate->ledger, &gate->loop, fd_take(&fd), err);
}
