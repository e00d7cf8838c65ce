/*
 * server/ledger/start.h - the records of a start: the chain's first one if it is new, an end
 * for each execution that a crash left open, and that the service has begun.
 */
#ifndef SERVER_LEDGER_START_H
#define SERVER_LEDGER_START_H

#include "base/err.h"

struct ledger;

/* One durable transaction. The migrations have been applied. */
nodiscard int start_records(struct ledger *ledger, struct err *err);

/* Notes which configuration is in force. */
void start_note_config(struct ledger *ledger);

#endif
