/*
 * server/ledger/ledger.h - the hub: everything the process holds, in one place.
 *
 * Trusted: the supervisor. Not trusted: everybody else, each within its own channel. A gate can
 * only ask, a validator can only misjudge what it was shown, a warden can only misreport what
 * it ran; each malformed message costs its sender the channel.
 */
#ifndef SERVER_LEDGER_LEDGER_H
#define SERVER_LEDGER_LEDGER_H

#include "server/ledger/database.h"
#include "server/ledger/execution.h"
#include "server/ledger/files.h"
#include "server/ledger/metrics.h"
#include "server/ledger/migrate.h"
#include "server/ledger/peers.h"
#include "server/ledger/refusals.h"
#include "server/ledger/round.h"
#include "server/ledger/setup.h"
#include "server/ledger/waiting.h"

struct ledger {
	struct loop loop;
	struct setup setup;
	struct config config;
	struct database db;
	struct executions executions;
	struct digest_queue digests;
	struct files files;
	struct round round;
	struct refusals refusals;
	struct metrics metrics;
	struct gate gate;
	struct validator validators[VALIDATOR_PLACES];
	struct waiting waiting;
	struct warden warden;
	struct timer tick; /* every second: expiry, checkpoints */
	size_t executions_max;
	bool is_draining;
};

#endif
