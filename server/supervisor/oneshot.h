/*
 * server/supervisor/oneshot.h - runs a program once and takes what it prints, without waiting
 * for it: its end arrives as an event, and a deadline ends a program that hangs.
 */
#ifndef SERVER_SUPERVISOR_ONESHOT_H
#define SERVER_SUPERVISOR_ONESHOT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/loop.h"
#include "base/memfd.h"

#define ONESHOT_ARGUMENTS_MAX 4

struct oneshot {
	struct loop *loop;
	pid_t pid; /* 0: not running */
	const char *name;
	int output_fd; /* owned memfd */
	int error_fd;  /* owned memfd */
	bool is_late;
	struct timer deadline;
	/* `failure` is NULL when it exited with 0; else what the program said on standard
	 * error, or how it ended. `output_fd` is its standard output, sealed; the callee may
	 * take it. */
	void (*done)(struct oneshot *oneshot, int *output_fd, const char *failure);
	void *owner;
};

/* Starts `libexec/casemate/<program>` with up to two arguments (NULL: none). */
nodiscard int oneshot_start(struct oneshot *oneshot, struct loop *loop, const char *program,
			    const char *first, const char *second, struct err *err);

/* The process has ended with this wait(2) status; calls `done`. */
void oneshot_exited(struct oneshot *oneshot, int wait_status);

/* Kills it; `done` is still called at its end. */
void oneshot_kill(struct oneshot *oneshot);

#endif
