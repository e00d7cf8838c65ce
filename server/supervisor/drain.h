/*
 * server/supervisor/drain.h - the orderly end: the gate finishes what callers wait for, then
 * the processes end against the direction of a request.
 */
#ifndef SERVER_SUPERVISOR_DRAIN_H
#define SERVER_SUPERVISOR_DRAIN_H

#include "server/supervisor/supervisor.h"

void drain_init(struct supervisor *supervisor);
void drain_start(struct supervisor *supervisor);

/* A child has ended: it is started again if the drain still needs it. */
void drain_child_ended(struct child *child);

/* One that was started again is ready. */
void drain_child_ready(struct child *child);

#endif
