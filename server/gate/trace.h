/*
 * server/gate/trace.h - the two names of a request: X-Request-Id and W3C traceparent. Taken
 * from the caller when well-formed, made otherwise, echoed and recorded.
 */
#ifndef SERVER_GATE_TRACE_H
#define SERVER_GATE_TRACE_H

#include "schema/limits.h"
#include "server/gate/text.h"

/* [A-Za-z0-9._-]{1,128}: nothing that could forge a log line or a header. */
bool trace_id_is_good(struct text id);

/* Version 00, lower-case hex, ids not all zero. */
bool trace_parent_is_good(struct text parent);

/* `ret` gets the caller's value when good, else a random one. */
void trace_take_id(struct text id, char ret[LIMIT_REQUEST_ID_BYTES + 1]);
void trace_take_parent(struct text parent, char ret[LIMIT_TRACEPARENT_BYTES + 1]);

#endif
