/*
 * server/supervisor/drain.h - the orderly end: the gate finishes what callers wait for, then
 * the processes end against the direction of a request.
 */
#ifndef SERVER_SUPERVISOR_DRAIN_H
#define SERVER_SUPERVISOR_DRAIN_H

#include "server/supervisor/supervisor.h"

void drain_init(struct supervisor *supervisor);
void drain_start(struct supervisor *supervisor);

/* A child has ended. */
void drain_advance(struct supervisor *supervisor);

#endif
