/*
 * server/supervisor/prepare.h - from the path of a configuration to children that start: each
 * step needs the one before it.
 */
#ifndef SERVER_SUPERVISOR_PREPARE_H
#define SERVER_SUPERVISOR_PREPARE_H

#include "server/supervisor/supervisor.h"

/* Runs the chain; it ends in PHASE_STARTING or in supervisor_fail(). */
nodiscard int prepare_start(struct supervisor *supervisor, struct err *err);

/* Maps what a one-shot program printed and makes a configuration of it. */
nodiscard int prepare_config(const struct supervisor *supervisor, int output_fd,
			     struct config *ret, struct err *err);

#endif
