/*
 * server/supervisor/strays.h - processes that outlived the one that made them.
 *
 * The supervisor is their reaper (PR_SET_CHILD_SUBREAPER): when a warden is killed, its zygotes
 * and cells end by themselves because their channels close; those that do not, for whatever
 * reason, become children of the supervisor, and are killed here.
 */
#ifndef SERVER_SUPERVISOR_STRAYS_H
#define SERVER_SUPERVISOR_STRAYS_H

#include "server/supervisor/supervisor.h"

/* Kills every child of ours that is not in the list. */
void strays_kill(const struct supervisor *supervisor);

/* The same, until none is left; bounded in time. Only when nothing else has to be served. */
void strays_end(const struct supervisor *supervisor);

#endif
