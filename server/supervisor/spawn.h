/*
 * server/supervisor/spawn.h - starts a program of ours: fork and exec, so that nothing of the
 * supervisor's memory is in its children, and nothing but the named descriptors.
 */
#ifndef SERVER_SUPERVISOR_SPAWN_H
#define SERVER_SUPERVISOR_SPAWN_H

#include <sys/types.h>

#include "base/err.h"

struct spawn {
	const char *path;	 /* absolute */
	const char *const *argv; /* NULL-terminated, argv[0] included */
	int stdout_fd;		 /* borrowed */
	int stderr_fd;		 /* borrowed */
	int channel_fd;		 /* borrowed; becomes SETUP_FD. -1: none */
};

/* The new process has /dev/null as standard input, a fixed environment, its own session (so a
 * terminal's signals reach only the supervisor), default signals, and dies with us. A program
 * that cannot be executed exits with 127. */
nodiscard int spawn_start(const struct spawn *spawn, pid_t *ret_pid, struct err *err);

#endif
