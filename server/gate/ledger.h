/*
 * server/gate/ledger.h - questions to the ledger and its answers. A malformed message, or an
 * answer that does not fit its question, drops the channel and nothing else: requests in flight
 * get 503, and the supervisor introduces the next ledger.
 */
#ifndef SERVER_GATE_LEDGER_H
#define SERVER_GATE_LEDGER_H

#include "server/gate/gate.h"

nodiscard int ledger_open(struct gate *gate, int take_fd, struct err *err);

/* Put the question of this connection's request; answer 503 when there is no ledger. */
void ledger_ask_execute(struct conn *conn);  /* conn->body_fd is sealed, and closed here */
void ledger_ask_validate(struct conn *conn); /* likewise */
void ledger_ask_execution(struct conn *conn);
void ledger_ask_file(struct conn *conn, uint64_t offset, uint64_t length); /* conn->file */
void ledger_ask_view(struct conn *conn, enum view view);
void ledger_ask_metrics(struct conn *conn);

/* The caller left: forget the question, cancel the execution. Legal without a question. */
void ledger_forget(struct conn *conn);

/* The ledger did not answer in time: the same, and 503 for the caller. */
void ledger_timed_out(struct conn *conn);

void ledger_tell_refused(struct gate *gate, const struct front_refused *refused);

#endif
