/*
 * server/redteam/host.h - witnesses outside the wall, when the service runs on this very host:
 * a canary file, a folder that everybody may write, listeners, a process to be signalled, and
 * a look at the jobs' processes from outside.
 *
 * None of them is needed; what cannot be watched is said, never taken for held.
 */
#ifndef SERVER_REDTEAM_HOST_H
#define SERVER_REDTEAM_HOST_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

#define HOST_MARK_MAX 16 /* bytes with NUL: the name of a thread (TASK_COMM_LEN) */

struct host {
	bool is_here; /* the service runs on this host and sees what we put there */
	char folder[64];
	char canary[PATH_MAX];
	char drop[PATH_MAX];
	char name[HOST_MARK_MAX]; /* of the abstract listener */
	char mark[HOST_MARK_MAX]; /* a name by which one probe's jobs can be found */
	unsigned random;	  /* tells ours from those of another run */
	unsigned marks;
	unsigned port; /* of the TCP and the UDP listener */
	int tcp_fd, udp_fd, unix_fd, abstract_fd;
	pid_t victim;
};

/* Makes the witnesses. `service` is the process whose children the jobs' user is taken from; 0:
 * whichever service is found. */
nodiscard int host_open(struct host *host, bool is_here, pid_t service, struct err *err);
void host_close(struct host *host);

/* A new mark: jobs of the probe before this one may still be dying. */
void host_mark(struct host *host);

/* Appends `text` with the facts in braces filled in; false when one is not known here. */
nodiscard bool host_fill(const struct host *host, const char *text, struct buf *ret);

/* What a witness saw since it was last asked; NULL: nothing. */
const char *host_saw(struct host *host);

#endif
