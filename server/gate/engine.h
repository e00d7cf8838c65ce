/*
 * server/gate/engine.h - libmicrohttpd, kept away from what callers send.
 *
 * libmicrohttpd 0.9.75 reads several malformed requests in its own way (two Content-Length, NUL
 * in a header, bare LF, ...), and not all of it can be seen from its access handler. So it
 * never gets a caller's bytes: for each caller it has an inner socket pair, on which the gate
 * writes one of a handful of constant heads when an answer is ready. The engine then does what
 * it is good at: framing, keep-alive, HEAD, Date, answers larger than the socket takes, one
 * after another. It also never sees two requests at once, so its pipelining is not relied upon.
 */
#ifndef SERVER_GATE_ENGINE_H
#define SERVER_GATE_ENGINE_H

#include "server/gate/gate.h"

nodiscard int engine_start(struct gate *gate, struct err *err);

/* Has the engine answer this connection's request with conn->status and conn->response. */
nodiscard int engine_submit(struct conn *conn, struct err *err);

/* Takes our end of the inner pair away; the engine lets go in its next round. */
void engine_release(struct conn *conn);

/* Runs the engine and serves what it wrote; bounded, so that nobody starves. */
void engine_pump(struct gate *gate);

#endif
