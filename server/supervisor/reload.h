/*
 * server/supervisor/reload.h - SIGHUP: the configuration, certificates and revocation list are
 * read again and handed down, one process after the other. Until the last one has accepted, the
 * old configuration is the valid one; a refusal anywhere puts the others back.
 */
#ifndef SERVER_SUPERVISOR_RELOAD_H
#define SERVER_SUPERVISOR_RELOAD_H

#include "server/supervisor/supervisor.h"

void reload_init(struct supervisor *supervisor);

/* Starts one, or notes that another is wanted when one is under way. */
void reload_start(struct supervisor *supervisor);

/* A child answered its COMMIT, or died. */
void reload_accepted(struct child *child);
void reload_refused(struct child *child, const char *why);

#endif
