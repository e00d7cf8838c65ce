/*
 * server/gate/conn.h - one caller's connection: bytes in, state, bytes out.
 *
 * Nothing is freed at once: conn_drop() closes everything and marks the connection dead;
 * conn_bury() frees the dead after the round, when no callback holds a pointer any more.
 */
#ifndef SERVER_GATE_CONN_H
#define SERVER_GATE_CONN_H

#include "server/gate/gate.h"

/* Takes a stream socket (consumed on failure too). `who` is NULL on the operations listener,
 * `number` then 0. */
nodiscard int conn_new(struct gate *gate, enum listener listener, int take_fd,
		       const struct front_connection *who, uint64_t number, struct err *err);

/* The front's connection of this number, the newest if there are two; NULL: it has ended. */
struct conn *conn_of_number(struct gate *gate, uint64_t number);

/* Its caller may ask nothing more: what is under way is answered, then it is closed. */
void conn_end(struct conn *conn);

/* Closes at once, cancels what runs for it. Legal when dead. */
void conn_drop(struct conn *conn);

/* Closes the body, here and in the count of what arrives. */
void conn_drop_body(struct conn *conn);

/* The answer is ready: conn->status and conn->response are set. */
void conn_submit(struct conn *conn);

/* Moves bytes from the engine to the caller, and goes on when the answer is out. */
void conn_relay(struct conn *conn);

/* Waits for a request of which nothing has come yet. */
bool conn_is_idle(const struct conn *conn);

/* Closes those that are idle; for the drain. */
void conn_drop_idle(struct gate *gate);

void conn_deadline_passed(void *owner, struct deadline *deadline);

/* The engine has forgotten a dead connection: it can be freed after this round. */
void conn_let_go(struct conn *conn);
void conn_bury(struct gate *gate);

/* The connection of a question that is still open, or NULL. */
struct conn *conn_asking(struct gate *gate, uint64_t ask_id);

#endif
