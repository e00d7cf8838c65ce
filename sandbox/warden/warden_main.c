/*
 * casemate-warden - started by the supervisor, with its set-up channel as descriptor 3.
 *
 * Trusts the supervisor; checks what the ledger asks; takes nothing from a job but bytes. It
 * keeps no right outside the sandbox's user namespace (see enter.h, also for why it is the one
 * process without Landlock), and when it ends, whatever the reason, everything below it ends.
 */
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "sandbox/warden/setup.h"
#include "sandbox/warden/warden.h"

static struct warden warden = {
	.state = WARDEN_NEW,
	.supervisor = {.fd = -1, .watch = {.fd = -1}},
	.ledger = {.fd = -1, .watch = {.fd = -1}},
	.cgroups = {.parents = CGROUP_NO_FDS, .folders = CGROUP_NO_FDS, .home = -1},
	.workspaces_parent_fd = -1,
	.workspaces = {.parent_fd = -1, .folder_fd = -1},
	.init_filter_fd = -1,
	.null_lock_fd = -1,
	.boost_fd = -1,
	.below_filter_fd = -1,
};

/* Blocks above this go straight back to the kernel: a job that leaves 48 MiB of files must not
 * leave a heap of that size behind. */
#define MMAP_THRESHOLD_BYTES (256 * 1024)

static unsigned count_cores(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count > 0 ? (unsigned)count : 1;
}

static int run(struct err *err)
{
	int status;

	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return err_errno(err, errno, "ignore SIGPIPE");
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
	(void)mallopt(M_ARENA_MAX, 1); /* not one for the thread of each slot */
	warden.cores = count_cores();
	status = loop_init(&warden.loop, err);
	if (status < 0)
		return status;
	warden.loop.owner = &warden;
	warden.loop.after_round = warden_after_round;
	status = setup_attach(&warden, err);
	if (status == 0)
		status = loop_run(&warden.loop, err);
	warden_end(&warden);
	return status;
}

int main(int argc, char **argv)
{
	struct err err = {0};

	if (argc > 1) {
		if (strcmp(argv[1], "--version") == 0)
			(void)printf("casemate-warden %s\n", CASEMATE_VERSION);
		else
			(void)printf("casemate-warden is started by casemate serve; it has no "
				     "options.\n");
		return strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "--help") == 0 ? 0
											   : 2;
	}
	log_init("warden", LOG_INFO);
	if (run(&err) < 0) {
		log_event(LOG_ERROR, "stopped", LOG_STR("why", err.text));
		return 1;
	}
	return 0;
}
