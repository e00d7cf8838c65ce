#include "server/gate/request.h"

#include "schema/status.h"
#include "server/gate/conn.h"
#include "server/gate/file.h"
#include "server/gate/ledger.h"
#include "server/gate/reply.h"
#include "server/gate/trace.h"

static void request_init(struct conn *conn, const struct head *head)
{
	struct request *request = &conn->request;
	struct text id = TEXT("");
	struct text file;

	request->action = ENDPOINT_NONE;
	request->method = head != NULL ? head->method : HTTP_UNKNOWN;
	request->is_http10 = head != NULL && head->is_http10;
	request->is_kept = head != NULL && head->is_kept;
	text_copy(head != NULL ? head->path : id, request->path, sizeof(request->path));
	trace_take_id(head != NULL ? head->request_id : id, request->request_id);
	trace_take_parent(head != NULL ? head->trace_parent : id, request->traceparent);
	if (head != NULL && head->path.length > 0)
		request->action = endpoint_find(head->path, conn->listener, &id, &file);
	text_copy(id, request->execution_id, sizeof(request->execution_id));
}

void request_refuse_head(struct conn *conn, const struct head *head,
			 const struct head_fault *fault)
{
	request_init(conn, head);
	conn->request.is_kept = false;
	metrics_count_refused_head(&conn->gate->metrics, problem_http(fault->problem));
	reply_problem(conn, fault->problem, fault->detail,
		      fault->problem == PROBLEM_LENGTH_REQUIRED
			      ? "Send the whole body with a Content-Length header."
			      : "Send one well-formed HTTP/1.1 request (RFC 9112).");
}

void request_timed_out(struct conn *conn, const char *detail)
{
	if (conn->state == CONN_HEAD)
		request_init(conn, NULL);
	conn->request.is_kept = false;
	reply_problem(conn, PROBLEM_REQUEST_TIMEOUT, detail,
		      "Send the request without pauses, or send less.");
}

void request_refuse_body(struct conn *conn, enum caller_verdict verdict)
{
	bool is_own = verdict == CALLER_ABOVE_SHARE;

	conn_drop_body(conn);
	conn->request.is_kept = false;
	reply_problem(conn, is_own ? PROBLEM_TOO_MUCH_HELD : PROBLEM_QUEUE_FULL,
		      is_own ? "too many bodies of this caller are arriving at once"
			     : "too many request bodies are arriving at once",
		      "Nothing was run: try again after the time in Retry-After.");
}

/* What keeps a request out before anyone is asked, in the order of what a caller must fix
 * first. */
static bool check(struct conn *conn, const struct head *head, struct endpoint_fault *fault)
{
	struct gate *gate = conn->gate;

	if (conn->listener == LISTENER_MAIN && conn->who.identity_kind == 0) {
		*fault = (struct endpoint_fault){
			PROBLEM_UNAUTHENTICATED,
			"the client certificate has no SPIFFE URI, DNS name or common name",
			"Use a certificate that names its holder."};
		return false;
	}
	if (!endpoint_check(conn->request.action, head, gate->config.body_bytes_max, fault))
		return false;
	/* Whether a part behind the ledger is missing is for the ledger to say, and to record.
	 */
	if (head->method == HTTP_POST && gate->is_draining) {
		*fault =
			(struct endpoint_fault){PROBLEM_DRAINING, "no new executions are taken",
						"Send the request to another instance."};
		return false;
	}
	return true;
}

static void begin_body(struct conn *conn, const struct head *head)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct err err;

	if (memfd_new("casemate-body", &conn->body_fd, &err) < 0) {
		conn->request.is_kept = false;
		reply_problem(conn, PROBLEM_INTERNAL, "no memory for the body", "Try again.");
		return;
	}
	conn->state = CONN_BODY;
	conn->body_left = head->content_length;
	if (head->expects_continue && conn->body_left > 0)
		buf_add(&conn->unsent, go_on, sizeof(go_on) - 1);
	if (conn->body_left == 0)
		request_body_done(conn);
}

void request_body_done(struct conn *conn)
{
	struct err err;

	if (memfd_seal(conn->body_fd, &err) < 0) {
		conn_drop_body(conn);
		reply_problem(conn, PROBLEM_INTERNAL, "the body could not be sealed",
			      "Try again.");
		return;
	}
	if (conn->request.action == ENDPOINT_VALIDATE)
		ledger_ask_validate(conn);
	else
		ledger_ask_execute(conn);
}

/* GET and HEAD of what exists. On the main listener the ledger is asked whether this identity
 * has a principal; probes are answered without it when there is no ledger to ask, because to
 * say "not ready" then is all they are for, and it tells a stranger nothing else. */
static void begin_read(struct conn *conn, const struct head *head)
{
	static const enum view views[ENDPOINT_COUNT] = {
		[ENDPOINT_RUNTIMES] = VIEW_RUNTIMES,
		[ENDPOINT_CAPABILITIES] = VIEW_CAPABILITIES,
		[ENDPOINT_OPENAPI] = VIEW_OPENAPI,
		[ENDPOINT_LIVEZ] = VIEW_HEALTH,
		[ENDPOINT_READYZ] = VIEW_HEALTH,
		[ENDPOINT_METRICS] = VIEW_METRICS,
	};
	enum endpoint_action action = conn->request.action;
	bool is_probe = action == ENDPOINT_LIVEZ || action == ENDPOINT_READYZ;

	if (action == ENDPOINT_EXECUTION)
		ledger_ask_execution(conn);
	else if (action == ENDPOINT_FILE)
		file_begin(conn, head);
	else if (is_probe &&
		 (conn->listener == LISTENER_OPERATIONS || conn->gate->ledger.fd < 0))
		reply_view(conn);
	else if (conn->listener == LISTENER_OPERATIONS)
		ledger_ask_metrics(conn);
	else
		ledger_ask_view(conn, views[action]);
}

void request_begin(struct conn *conn, const struct head *head)
{
	struct endpoint_fault fault = {PROBLEM_NONE, "", ""};

	request_init(conn, head);
	if (!check(conn, head, &fault)) {
		/* A body that nobody will read follows: what comes after it is not a head. */
		if (head->content_length > 0)
			conn->request.is_kept = false;
		reply_problem(conn, fault.problem, fault.detail, fault.hint);
	} else if (head->method == HTTP_OPTIONS) {
		reply_options(conn);
	} else if (head->method == HTTP_POST) {
		begin_body(conn, head);
	} else {
		begin_read(conn, head);
	}
}
