/*
 * server/supervisor/runtimes.h - the installed runtimes: share/casemate/runtimes/<name>/, with
 * what the configuration says about each.
 */
#ifndef SERVER_SUPERVISOR_RUNTIMES_H
#define SERVER_SUPERVISOR_RUNTIMES_H

#include "schema/wire/setup.h"
#include "server/supervisor/config.h"

#define RUNTIMES_MAX 32 /* as in config.schema.json */

struct runtimes {
	size_t count;
	struct setup_runtime list[RUNTIMES_MAX];
	int folders[RUNTIMES_MAX]; /* owned */
};

/* Reads every enabled runtime. Nothing is kept on failure. */
nodiscard int runtimes_load(struct runtimes *ret, const struct config *config, struct err *err);

void runtimes_done(struct runtimes *runtimes);

#endif
