/*
 * server/gate/reply.h - answers: document plus headers, handed to the connection. Each function
 * ends the connection's current request; there is exactly one answer to each.
 */
#ifndef SERVER_GATE_REPLY_H
#define SERVER_GATE_REPLY_H

#include "server/gate/gate.h"

/* A refusal as RFC 9457 problem document. `errors` is a JSON array made by the validator. */
struct refusal {
	uint8_t problem;
	uint32_t retry_after_s; /* 0: none, but 503 and 429 always say something */
	const char *detail;
	const char *hint;
	struct text errors;
};

void reply_refusal(struct conn *conn, const struct refusal *refusal);
void reply_problem(struct conn *conn, uint8_t problem, const char *detail, const char *hint);

/* 200 with these bytes, which are consumed (malloc). */
void reply_document(struct conn *conn, struct buf *take_buf, const char *content_type);

/* The execution; `take_members` holds the validator's members. */
void reply_execution(struct conn *conn, const struct answer_execution *answer,
		     struct span *take_members);

/* What was said of code; `members` lie in the validator's memfd. */
void reply_validation(struct conn *conn, struct text members);

/* For answers of other kinds: their own headers, then the ones all have in common. A NULL
 * response drops the connection. */
void reply_header(struct MHD_Response *response, const char *name, const char *value);
void reply_submit(struct conn *conn, unsigned status, struct MHD_Response *take_response,
		  const char *content_type, const char *cache_control);
/* A response that is sent from where it lies; NULL without memory. */
struct MHD_Response *reply_from_span(struct span *take_span);
/* True: a large answer is counted as the caller's. False: he has been refused instead. */
bool reply_may_hold(struct conn *conn, uint64_t bytes, const char *hint);

/* 204 with Allow. */
void reply_options(struct conn *conn);

/* /livez, /readyz, /v1/runtimes, ... from what the gate knows; the identity is known to be
 * good. */
void reply_view(struct conn *conn);

/* The gate's own counters, then `more` from the ledger (may be empty). */
void reply_metrics(struct conn *conn, struct text more);

#endif
