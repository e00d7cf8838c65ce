/*
 * sandbox/zygote/worker.h - the forked child: from a copy of the zygote to a
 * locked-down worker that runs one job and ends.
 */
#ifndef SANDBOX_ZYGOTE_WORKER_H
#define SANDBOX_ZYGOTE_WORKER_H

#include <stddef.h>

#include "base/chan.h"
#include "sandbox/layers/lockdown.h"
#include "sandbox/zygote/ops.h"

struct worker {
	const struct zygote_ops *ops;
	int place_fd; /* the cell's init, or the folder of a worker without a cell */
	int channel;  /* to the warden */
	int stdout_fd;
	int stderr_fd;
	int cgroup_fds[CHAN_FDS_MAX]; /* cgroup.procs files */
	unsigned cgroup_count;
	struct lockdown lockdown;
	const char *fail_step; /* test builds: the step that is to fail, or empty */
	/* What holds, filled in on the way. */
	uint32_t layers;
	unsigned landlock_abi;
};

/* Locks down, proves it, says WORKER_READY, runs one job, ends the process. The descriptors
 * need not be closed by the caller's copy of the process: everything but the channel is closed
 * here. */
_Noreturn void worker_main(struct worker *worker);

#endif
