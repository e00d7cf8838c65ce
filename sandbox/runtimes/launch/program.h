/*
 * sandbox/runtimes/launch/program.h - the program that a worker starts before its job comes:
 * its only child, whose end is the job's. Used by ahead.c and startup.c.
 */
#ifndef SANDBOX_RUNTIMES_LAUNCH_PROGRAM_H
#define SANDBOX_RUNTIMES_LAUNCH_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "sandbox/zygote/ops.h"

#define PROGRAM_START_MS 9000 /* the warden waits ten seconds for a worker */

/* In the worker, before its filter: makes what will hold the standard input. */
nodiscard int program_prepare(struct err *err);

/* Starts it in a session of its own, with 0 the file above; 1 and 2 are the worker's. `link_fd`
 * becomes its descriptor 3; -1: it gets none. */
nodiscard int program_start(char *const *argv, char *const *variables, int link_fd,
			    struct err *err);

/* Copies the job's standard input into the file that the program has as descriptor 0. */
nodiscard int program_take_stdin(int fd, struct err *err);

/* Ends one that did not get ready; always an error, which says how it ended. */
nodiscard int program_gone(const char *when, struct err *err);

/* Nothing but SIGCHLD interrupts the worker from here on, and that only where it waits: what
 * the job sends to all processes it can reach must not end the one that tells of its end. */
void program_shield(void);

/* True when it has ended. Waits for that if `is_to_wait`. */
bool program_has_ended(bool is_to_wait);

/* How it ended, once it has. */
void program_tell_end(struct job_end *ret);

#endif
