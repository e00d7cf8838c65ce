/*
 * server/supervisor/handout.h - what each process is told, by role: the set-up messages of
 * schema/wire/setup.h made from the configuration.
 */
#ifndef SERVER_SUPERVISOR_HANDOUT_H
#define SERVER_SUPERVISOR_HANDOUT_H

#include "server/supervisor/child.h"
#include "server/supervisor/config.h"

/* HELLO, the first message of all. */
void handout_hello(struct child *child, const struct config *config);

/* The messages of the child's role, without COMMIT. */
nodiscard int handout_config(struct child *child, const struct config *config, struct err *err);

/* COMMIT; the child will answer READY or FAILED. */
void handout_commit(struct child *child);

void handout_drain(struct child *child, uint32_t deadline_ms);

/* The uid of a role's process and the first uid of the workers, counted from uid_base. */
uint32_t handout_uid(const struct config *config, enum setup_role role, size_t index);

#endif
