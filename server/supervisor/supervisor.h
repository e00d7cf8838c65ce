/*
 * server/supervisor/supervisor.h - the service as a whole: which phase it is in, and what one
 * process's fate means for the others.
 */
#ifndef SERVER_SUPERVISOR_SUPERVISOR_H
#define SERVER_SUPERVISOR_SUPERVISOR_H

#include <limits.h>

#include "server/supervisor/child.h"
#include "server/supervisor/config.h"
#include "server/supervisor/oneshot.h"
#include "server/supervisor/peers.h"

#define CHILDREN_MAX (4 + PEERS_VALIDATORS_MAX)

enum phase {
	PHASE_PREPARING, /* one-shot programs: configuration, API description, migration */
	PHASE_STARTING,	 /* children start for the first time: any failure ends us */
	PHASE_SERVING,
	PHASE_DRAINING,
	PHASE_STOPPING /* everything is killed; we leave when the last one is reaped */
};

struct reload {
	bool is_active;
	bool is_wanted; /* another SIGHUP came meanwhile */
	size_t at;	/* index of the child that is to answer */
	struct config candidate;
	struct timer deadline;
};

struct drain {
	size_t step;
	bool is_late; /* the step's deadline has passed: nobody is started any more */
	struct timer deadline;
	uint64_t asked_us; /* when the first signal came */
};

struct supervisor {
	struct loop loop;
	enum phase phase;
	int exit_code;
	char config_path[PATH_MAX];
	struct config config; /* the accepted one */
	struct oneshot oneshot;
	struct child children[CHILDREN_MAX]; /* in the order they start */
	size_t child_count;
	struct peers peers;
	struct reload reload;
	struct drain drain;
	struct timer strays;
	bool is_root;
	int state_fd; /* owned, as all below */
	int lock_fd;
	int schema_fd;
	int openapi_fd;
	int listen_fd;
	int operations_fd;
	uint16_t port;
	uint16_t operations_port;
};

void supervisor_init(struct supervisor *supervisor, const char *config_path);

/* Starts the chain of preparations; the rest follows on the loop. */
nodiscard int supervisor_start(struct supervisor *supervisor, struct err *err);

/* Says why on standard error and ends everything with exit code 1. */
void supervisor_fail(struct supervisor *supervisor, const char *why);

/* SIGTERM or SIGINT: the first drains, a later one ends at once. */
void supervisor_stop(struct supervisor *supervisor);

/* SIGCHLD. */
void supervisor_reap(struct supervisor *supervisor);

/* What a child's state table reports. */
void supervisor_child_ready(struct child *child);
void supervisor_child_refused(struct child *child);
void supervisor_child_ended(struct child *child);

/* Kills every process and leaves when they are reaped. */
void supervisor_kill(struct supervisor *supervisor);

/* Closes and removes what the service leaves on the disk. */
void supervisor_done(struct supervisor *supervisor);

#endif
