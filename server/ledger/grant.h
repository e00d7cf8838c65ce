/*
 * server/ledger/grant.h - what a checked request gets: its runtime, its limits.
 */
#ifndef SERVER_LEDGER_GRANT_H
#define SERVER_LEDGER_GRANT_H

#include "server/ledger/execution.h"

/* Each: true, or the execution has been refused and may be gone. */
bool grant_runtime(struct execution *e);

/* Fills in what the request left out, and believes nobody about the rest. */
bool grant_limits(struct execution *e);

#endif
