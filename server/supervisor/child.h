/*
 * server/supervisor/child.h - one process of the service: started, set up, watched, ended.
 *
 * Its life is a table of states and events (child.c); what a death means for the service as a
 * whole is the supervisor's matter (supervisor.h).
 */
#ifndef SERVER_SUPERVISOR_CHILD_H
#define SERVER_SUPERVISOR_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/chan.h"
#include "schema/wire/setup.h"

struct supervisor;

enum child_state {
	CHILD_DOWN,	/* no process; perhaps a timer that starts one */
	CHILD_STARTING, /* set up, READY not heard yet */
	CHILD_READY,
	CHILD_DRAINING,
	CHILD_ENDING, /* told us that it ends, or lost its channel: killed if it lingers */
	CHILD_GONE,   /* ended for good */
	CHILD_STATE_MAX
};

enum child_event {
	CHILD_START, /* start (again) now */
	CHILD_SAYS_READY,
	CHILD_SAYS_FAILED,
	CHILD_SAYS_DRAINED,
	CHILD_LOST,   /* its channel closed or broke the protocol */
	CHILD_LATE,   /* the deadline of the state passed */
	CHILD_DRAIN,  /* finish */
	CHILD_KILL,   /* end at once */
	CHILD_EXITED, /* reaped */
	CHILD_EVENT_MAX
};

struct child {
	struct supervisor *supervisor; /* borrowed */
	enum setup_role role;
	const char *name;    /* in logs */
	const char *program; /* in libexec/casemate */
	uint32_t uid;	     /* 0: ours */
	enum child_state state;
	pid_t pid; /* 0: none */
	struct chan chan;
	struct timer deadline; /* of the state */
	struct timer restart;
	int wait_status;	   /* of the last exit */
	char detail[ERR_TEXT_MAX]; /* why it ended, in its own words; empty: it did not say */
	unsigned commits_pending;  /* COMMITs not answered yet */
	unsigned quick_deaths;	   /* in a row, each soon after its start */
	uint64_t started_us;
	uint32_t drain_ms;
};

void child_init(struct child *child, struct supervisor *supervisor, enum setup_role role);

/* Gives the event to the state table; one that means nothing in the state is ignored. */
void child_event(struct child *child, enum child_event event);

/* Sends one set-up message. A failure is a CHILD_LOST, which follows by itself. */
void child_send(struct child *child, uint16_t type, const struct wr *body, const int *fds,
		unsigned fd_count);
void child_send_numbered(struct child *child, uint16_t type, uint64_t id, const struct wr *body,
			 const int *fds, unsigned fd_count);

/* Arms the start of a new process: at once after a first death, later in a crash loop. */
void child_schedule(struct child *child);

/* True while a process can be sent messages. */
bool child_is_up(const struct child *child);

#endif
