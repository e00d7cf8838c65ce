/*
 * sandbox/warden/child.h - the two long-lived programs of a runtime, cell maker and zygote: how
 * they are started, watched and started again.
 *
 * Each is exec'd from a descriptor opened before the warden gave its rights up, gets its
 * channel as descriptor 3, /dev/null as 0 and 1, the log as 2 and nothing else, a fixed
 * environment, and dies with the warden (PR_SET_PDEATHSIG, and its channel hangs up).
 */
#ifndef SANDBOX_WARDEN_CHILD_H
#define SANDBOX_WARDEN_CHILD_H

#include <sys/types.h>

#include "base/chan.h"

struct child {
	const char *name;	   /* program, for logs */
	int binary_fd;		   /* owned; opened before the confinement */
	const int *deny_filter_fd; /* borrowed; a seccomp program it is born under, -1: none */
	int join_mount_fd; /* borrowed pidfd whose mount namespace it is born in; -1: ours */
	pid_t pid;	   /* 0: not running */
	int pidfd;	   /* owned */
	struct chan chan;
	struct watch exit_watch;
	struct timer restart;
	struct timer deadline; /* for its first answer */
	unsigned failures;     /* ends in a row without having been ready */
	bool is_ready;
	/* It is gone or broke the protocol; every trace of the process is released already. */
	void (*lost)(struct child *child, const struct err *why);
	void *owner;
};

void child_init(struct child *child, const char *name, void *owner);

/* Starts the program. `chan.serve` is set by the caller before. */
nodiscard int child_start(struct child *child, struct loop *loop, struct err *err);

/* False as soon as it is dead, even if the loop has not come to its end yet. */
bool child_is_alive(const struct child *child);

/* Kills it and calls `lost`; for one that broke the protocol or is too late. */
void child_fail(struct child *child, const struct err *why);

/* Kills it without telling anybody. */
void child_stop(struct child *child);

/* Microseconds to wait before the next start: doubles with every failure in a row. */
uint64_t backoff_us(unsigned failures);

#endif
