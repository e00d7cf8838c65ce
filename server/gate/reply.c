#include "server/gate/reply.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "schema/status.h"
#include "server/gate/conn.h"
#include "server/gate/file.h"

#define REPLY_DOCUMENT_MAX (4u << 20) /* any document but an execution */
#define REPLY_COPY_MAX	   65536u     /* smaller answers are copied: cheaper than mappings */
#define RETRY_AFTER_S	   1	      /* when the ledger names no better time */

static const char json_type[] = "application/json";
static const char problem_type[] = "application/problem+json";
static const char metrics_type[] = "text/plain; version=0.0.4; charset=utf-8";

void reply_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) != MHD_YES)
		log_event(LOG_WARN, "header_left_out", LOG_STR("name", name));
}

/* Every answer ends here: the headers all have in common, the count, the engine. */
void reply_submit(struct conn *conn, unsigned status, struct MHD_Response *take_response,
		  const char *content_type, const char *cache_control)
{
	if (take_response == NULL) {
		log_event(LOG_ERROR, "answer_failed", LOG_STR("error", "no memory"));
		conn_drop(conn);
		return;
	}
	if (content_type != NULL)
		reply_header(take_response, "Content-Type", content_type);
	reply_header(take_response, "Cache-Control", cache_control);
	reply_header(take_response, "X-Content-Type-Options", "nosniff");
	reply_header(take_response, "X-Request-Id", conn->request.request_id);
	reply_header(take_response, "traceparent", conn->request.traceparent);
	conn->response = take_response;
	conn->status = status;
	metrics_count_answer(&conn->gate->metrics, conn->request.action, status);
	conn_submit(conn);
}

static void submit(struct conn *conn, unsigned status, struct MHD_Response *take_response,
		   const char *content_type)
{
	reply_submit(conn, status, take_response, content_type, "no-store");
}

/* The buffer's bytes become the response's. NULL when the buffer has failed. */
static struct MHD_Response *response_take(struct buf *buf)
{
	struct MHD_Response *response;

	if (buf->has_failed || buf->data == NULL) {
		buf_done(buf);
		return NULL;
	}
	response =
		MHD_create_response_from_buffer(buf->length, buf->data, MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		buf_done(buf);
	else
		*buf = (struct buf){.limit = 0};
	return response;
}

void reply_document(struct conn *conn, struct buf *take_buf, const char *content_type)
{
	submit(conn, 200, response_take(take_buf), content_type);
}

static void add_retry_after(struct MHD_Response *response, uint32_t seconds)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", seconds > 0 ? seconds : RETRY_AFTER_S);
	reply_header(response, "Retry-After", text);
}

/* What RFC 9110 wants beside the status. */
static void add_refusal_headers(struct conn *conn, struct MHD_Response *response,
				const struct refusal *refusal)
{
	char range[40];

	switch (problem_http(refusal->problem)) {
	case 401:
		reply_header(response, "WWW-Authenticate", "ClientCertificate");
		break;
	case 405:
		reply_header(response, "Allow", endpoint_of(conn->request.action)->allow);
		break;
	case 416:
		if (conn->file == NULL) /* nobody asked for a range */
			break;
		(void)snprintf(range, sizeof(range), "bytes */%" PRIu64,
			       conn->file->facts.size);
		reply_header(response, "Content-Range", range);
		break;
	case 415:
		reply_header(response, "Accept-Post", json_type);
		reply_header(response, "Accept-Encoding", "identity");
		break;
	case 429:
	case 503:
		add_retry_after(response, refusal->retry_after_s);
		break;
	default:
		break;
	}
}

void reply_refusal(struct conn *conn, const struct refusal *refusal)
{
	struct problem_document document = {
		.problem = refusal->problem,
		.detail = refusal->detail,
		.hint = refusal->hint,
		.instance = conn->request.path,
		.request_id = conn->request.request_id,
		.errors = refusal->errors.data,
		.errors_length = refusal->errors.length,
	};
	struct MHD_Response *response;
	struct buf buf;

	buf_init(&buf, REPLY_DOCUMENT_MAX);
	document_problem(&buf, &document);
	response = response_take(&buf);
	if (response != NULL)
		add_refusal_headers(conn, response, refusal);
	submit(conn, problem_http(refusal->problem), response, problem_type);
}

void reply_problem(struct conn *conn, uint8_t problem, const char *detail, const char *hint)
{
	struct refusal refusal = {.problem = problem, .detail = detail, .hint = hint};

	reply_refusal(conn, &refusal);
}

void reply_options(struct conn *conn)
{
	static char nothing[1];
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);

	if (response != NULL)
		reply_header(response, "Allow", endpoint_of(conn->request.action)->allow);
	submit(conn, 204, response, NULL);
}

/* --- executions -------------------------------------------------------------------------- */

/* A large execution is sent from where it lies; this is what the response owns then. */
struct pieces {
	struct buf text;  /* head and tail */
	struct span span; /* the validator's members */
};

static void pieces_free(void *cls)
{
	struct pieces *pieces = cls;

	buf_done(&pieces->text);
	span_done(&pieces->span);
	free(pieces);
}

static struct MHD_Response *response_from_pieces(struct pieces *take_pieces, size_t head_bytes)
{
	struct MHD_IoVec parts[3] = {
		{take_pieces->text.data, head_bytes},
		{take_pieces->span.data, take_pieces->span.length},
		{take_pieces->text.data + head_bytes, take_pieces->text.length - head_bytes},
	};
	struct MHD_Response *response =
		MHD_create_response_from_iovec(parts, 3, pieces_free, take_pieces);

	if (response == NULL)
		pieces_free(take_pieces);
	return response;
}

struct MHD_Response *reply_from_span(struct span *take_span)
{
	struct pieces *pieces = calloc(1, sizeof(*pieces));
	struct MHD_Response *response;
	struct MHD_IoVec part;

	if (pieces == NULL) {
		span_done(take_span);
		return NULL;
	}
	pieces->span = *take_span;
	*take_span = (struct span){.data = ""};
	part = (struct MHD_IoVec){pieces->span.data, pieces->span.length};
	response = MHD_create_response_from_iovec(&part, 1, pieces_free, pieces);
	if (response == NULL)
		pieces_free(pieces);
	return response;
}

static struct MHD_Response *execution_response(const struct answer_execution *answer,
					       struct span *take_span)
{
	struct pieces *pieces = calloc(1, sizeof(*pieces));
	bool is_small = take_span->length <= REPLY_COPY_MAX;
	struct MHD_Response *response;
	size_t head_bytes;

	if (pieces == NULL) {
		span_done(take_span);
		return NULL;
	}
	pieces->span = *take_span;
	*take_span = (struct span){.data = ""};
	buf_init(&pieces->text, REPLY_DOCUMENT_MAX);
	document_execution_head(&pieces->text, answer, pieces->span.length > 0);
	if (is_small)
		buf_add(&pieces->text, pieces->span.data, pieces->span.length);
	head_bytes = pieces->text.length;
	document_execution_tail(&pieces->text, answer);
	if (!is_small && !pieces->text.has_failed)
		return response_from_pieces(pieces, head_bytes);
	response = response_take(&pieces->text);
	pieces_free(pieces);
	return response;
}

static void send_execution(struct conn *conn, const struct answer_execution *answer,
			   struct span *take_members)
{
	struct MHD_Response *response = execution_response(answer, take_members);
	char location[64];

	if (response != NULL && conn->request.action == ENDPOINT_EXECUTE) {
		(void)snprintf(location, sizeof(location), "/v1/executions/%s",
			       answer->execution_id);
		reply_header(response, "Location", location);
	}
	submit(conn, 200, response, json_type);
}

bool reply_may_hold(struct conn *conn, uint64_t bytes, const char *hint)
{
	enum caller_verdict verdict = CALLER_GOOD;

	if (bytes > REPLY_COPY_MAX)
		verdict = caller_hold_answer(&conn->gate->callers, conn->caller, bytes);
	if (verdict == CALLER_GOOD) {
		conn->answer_kept = bytes > REPLY_COPY_MAX ? bytes : 0;
		return true;
	}
	if (verdict == CALLER_ABOVE_SHARE)
		reply_problem(
			conn, PROBLEM_TOO_MUCH_HELD,
			"large answers to this caller wait to be read, so this one is not "
			"sent",
			hint);
	else
		reply_problem(conn, PROBLEM_QUEUE_FULL,
			      "too many large answers wait to be read, so this one is not sent",
			      hint);
	return false;
}

void reply_execution(struct conn *conn, const struct answer_execution *answer,
		     struct span *take_members)
{
	char hint[160];

	(void)snprintf(hint, sizeof(hint),
		       "It is on record. Read the answers that are on their way, then GET "
		       "/v1/executions/%s.",
		       answer->execution_id);
	if (!reply_may_hold(conn, take_members->length, hint)) {
		span_done(take_members);
		return;
	}
	send_execution(conn, answer, take_members);
}

void reply_validation(struct conn *conn, struct text members)
{
	struct buf buf;

	if (!reply_may_hold(conn, members.length,
			    "Read the answers that are on their way, then ask again."))
		return;
	buf_init(&buf, REPLY_DOCUMENT_MAX);
	document_validation(&buf, members.data, members.length, conn->request.request_id);
	reply_document(conn, &buf, json_type);
}

/* --- views ------------------------------------------------------------------------------- */

static void reply_ready(struct conn *conn, struct buf *buf)
{
	uint8_t problem = PROBLEM_NONE;
	const char *reason = "";

	if (gate_is_ready(conn->gate, &problem, &reason)) {
		document_health(buf, "ok");
		reply_document(conn, buf, json_type);
		return;
	}
	buf_done(buf);
	reply_problem(conn, problem, reason, "Try again, or use another instance.");
}

void reply_view(struct conn *conn)
{
	struct gate *gate = conn->gate;
	struct buf buf;

	buf_init(&buf, REPLY_DOCUMENT_MAX);
	switch (conn->request.action) {
	case ENDPOINT_RUNTIMES:
		document_runtimes(&buf, (const struct tell_runtime *const *)gate->runtimes,
				  gate->runtime_count);
		break;
	case ENDPOINT_CAPABILITIES:
		document_capabilities(&buf, &gate->capabilities);
		break;
	case ENDPOINT_OPENAPI:
		buf_add(&buf, gate->openapi.data, gate->openapi.length);
		break;
	case ENDPOINT_READYZ:
		reply_ready(conn, &buf);
		return;
	default:
		document_health(&buf, "ok");
		break;
	}
	reply_document(conn, &buf, json_type);
}

void reply_metrics(struct conn *conn, struct text more)
{
	struct buf buf;

	buf_init(&buf, REPLY_DOCUMENT_MAX);
	conn->gate->metrics.bodies_bytes = conn->gate->callers.bodies_bytes;
	conn->gate->metrics.answers_bytes = conn->gate->callers.answers_bytes;
	metrics_write(&conn->gate->metrics, &buf);
	buf_add(&buf, more.data, more.length);
	reply_document(conn, &buf, metrics_type);
}
