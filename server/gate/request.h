/*
 * server/gate/request.h - from a head to an answer or a question.
 */
#ifndef SERVER_GATE_REQUEST_H
#define SERVER_GATE_REQUEST_H

#include "server/gate/gate.h"

/* A head that the scan or the parse refused; `head` is NULL when nothing could be read of it.
 */
void request_refuse_head(struct conn *conn, const struct head *head,
			 const struct head_fault *fault);

/* A good head. Afterwards the connection is in CONN_BODY, CONN_ASKED or CONN_ANSWER. */
void request_begin(struct conn *conn, const struct head *head);

/* The whole body is in conn->body_fd. */
void request_body_done(struct conn *conn);

/* There is no room for the rest of the body: 429 or 503. */
void request_refuse_body(struct conn *conn, enum caller_verdict verdict);

/* Took too long: 408, whatever of the request is there. */
void request_timed_out(struct conn *conn, const char *detail);

#endif
