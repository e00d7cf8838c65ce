/*
 * server/ledger/setup.h - the channel to the supervisor: configuration, neighbours, drain.
 */
#ifndef SERVER_LEDGER_SETUP_H
#define SERVER_LEDGER_SETUP_H

#include "base/chan.h"
#include "schema/wire/setup.h"
#include "server/ledger/config.h"

struct ledger;

#define SETUP_PEERS_EARLY_MAX 80 /* neighbours introduced before the first COMMIT */

struct setup {
	struct chan chan;
	uint32_t state; /* SETUP_* of setup.c */
	struct setup_hello hello;
	struct staging staging;
	int folder_fd; /* the state folder, until the first COMMIT */
	struct {
		uint8_t role;
		uint64_t link;
		int fd;
	} early[SETUP_PEERS_EARLY_MAX];
	size_t early_count;
	unsigned landlock_abi;
	struct timer drain;
	unsigned drain_stage; /* see setup.c */
	bool has_stopped;     /* the last record is queued or written */
	int exit_code;
};

/* Serves the channel on descriptor SETUP_FD. */
nodiscard int setup_open(struct ledger *ledger, struct err *err);

/* While draining: says DRAINED and stops the loop as soon as nothing is left to do. */
void setup_drain_step(struct ledger *ledger);

/* The channel that the supervisor numbered `link` has ended. */
void setup_say_lost(struct ledger *ledger, uint64_t link);

#endif
