/*
 * server/supervisor/state.h - the state folder: one service at a time, the database's owner,
 * and the files that tell where the service listens.
 *
 * Started as root, the ledger has a uid of its own and no other right. The folder becomes
 * writable for its group and sticky, so the ledger can make the files SQLite needs beside the
 * database, and can neither remove nor replace anything that belongs to somebody else (keys,
 * the configuration).
 */
#ifndef SERVER_SUPERVISOR_STATE_H
#define SERVER_SUPERVISOR_STATE_H

#include <stdint.h>

#include "base/err.h"

/* Locks the folder for this process; -EWOULDBLOCK says who has it. The lock ends with *ret_fd.
 */
nodiscard int state_lock(int folder_fd, int *ret_fd, struct err *err);

/* Gives the database files to `ledger_uid`, who may then add files to the folder. */
nodiscard int state_give(int folder_fd, const char *database, uint32_t ledger_uid,
			 struct err *err);

/* Checks that the database, if there is one, is a plain file nobody could have planted. */
nodiscard int state_check(int folder_fd, const char *database, uint32_t ledger_uid,
			  struct err *err);

/* Writes one line atomically, readable by everybody. */
nodiscard int state_write(int folder_fd, const char *name, const char *line, struct err *err);

/* Removes a file that may be missing. */
void state_remove(int folder_fd, const char *name);

#endif
