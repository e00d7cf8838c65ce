/*
 * server/ledger/round.h - group commit: the records of one round of the loop share a
 * transaction.
 *
 * Accepted records go first, in a transaction that is not waited for on the disk, and their
 * jobs start; then everything else in one that is, and the answers leave. When the database
 * cannot be written nothing is accepted any more; what finished meanwhile waits, and is
 * recorded when a probe shows that writing works again.
 */
#ifndef SERVER_LEDGER_ROUND_H
#define SERVER_LEDGER_ROUND_H

#include "server/ledger/execution.h"

/* Milliseconds between two attempts to write again. */
#define ROUND_PROBE_MS 500
/* Records without an execution (refused handshakes ...) that wait for the database; more are
 * counted and dropped. */
#define ROUND_WAITING_MAX 1000

struct entries {
	struct entry *first;
	struct entry *last;
	size_t count;
};

struct round {
	struct entries early;	/* accepted */
	struct entries durable; /* all others */
	struct entries unsettled;
	bool is_bad;	  /* the database cannot be written */
	char reason[256]; /* why */
	uint64_t bad_since_ms;
	uint64_t refused; /* executions refused since */
	uint64_t dropped; /* records without an execution dropped since */
	struct timer probe;
};

void round_init(struct ledger *ledger);

/* Queues the execution's record; entry->kind, body and texts are set. */
void round_add(struct ledger *ledger, struct entry *entry);

/* A record that nobody waits for; `body` is taken. Lost, and counted, without memory. */
void round_note(struct ledger *ledger, enum record_kind kind, const char *tenant,
		const char *principal, struct buf *take_body);

/* Commits what this round has queued; loop.after_round. */
void round_end(struct ledger *ledger);

/* Expiry and checkpoints; once a second. */
void round_tick(struct ledger *ledger);

/* Frees what was not written; only when the process ends. */
void round_done(struct ledger *ledger);

#endif
