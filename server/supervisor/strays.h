/*
 * server/supervisor/strays.h - processes that outlived the one that made them.
 *
 * The supervisor is their reaper (PR_SET_CHILD_SUBREAPER): when a warden is killed, its zygotes
 * and cells end by themselves because their channels close, and its janitor ends when it has
 * removed the control groups. What does not end by itself in time, for whatever reason, is a
 * child of the supervisor by then, and is killed here.
 */
#ifndef SERVER_SUPERVISOR_STRAYS_H
#define SERVER_SUPERVISOR_STRAYS_H

#include "server/supervisor/supervisor.h"

void strays_init(struct supervisor *supervisor);

/* Someone's parent died: has a look, after the time they have to end by themselves. */
void strays_expect(struct supervisor *supervisor);

/* Waits until none is left, and kills what stays. Only when nothing else has to be served. */
void strays_end(const struct supervisor *supervisor);

#endif
