#include "sandbox/cell/cell.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/chan.h"
#include "sandbox/layers/lockdown.h"
#include "sandbox/layers/timens.h"
#include "sandbox/layers/userns.h"
#include "schema/status.h"

/* An init needs half a millisecond; one that needs this long hangs, and the maker must not. */
#define INIT_READY_MS 5000

/* Makes the child in its namespaces. fork(3) cannot; the child therefore calls nothing of libc
 * that keeps state per process. */
static int clone_init(const struct cell_plan *plan, pid_t *ret_pid, int *ret_pidfd,
		      struct err *err)
{
	int pidfd = -1;
	/* The network namespace is the slot's, joined before, and the time namespace was made
	 * before, because its clocks cannot be set any more once somebody is in it. */
	struct clone_args args = {
		.flags = CLONE_PIDFD | (lockdown_clone_flags(plan->maker->layers_disabled) &
					~(uint64_t)(CLONE_NEWNET | CLONE_NEWTIME)),
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return err_errno(err, errno, "clone3 into new namespaces");
	*ret_pid = (pid_t)pid;
	*ret_pidfd = pidfd;
	return 0;
}

static int write_maps(const struct cell_plan *plan, pid_t pid, struct err *err)
{
	uint32_t off = plan->maker->layers_disabled;

	if ((off & LAYER_USER_NAMESPACE) != 0)
		return 0;
	return userns_write_maps(plan->maker->proc_fd, pid,
				 (off & LAYER_OWN_UID) != 0 ? 0 : plan->make.uid, err);
}

static int receive_reply(int sync_fd, struct msg *msg, struct err *err)
{
	struct pollfd wait = {.fd = sync_fd, .events = POLLIN};
	int ready;

	do {
		ready = poll(&wait, 1, INIT_READY_MS);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return err_set(err, ETIMEDOUT, "the init of the cell did not get ready");
	if (chan_receive_blocking(sync_fd, msg, err) < 0)
		return err_prefix(err, "the init of the cell died");
	return 0;
}

/* Waits for the init's verdict and takes the folder it sends. */
static int finish(int sync_fd, struct cell *cell, struct err *err)
{
	struct step_failed failed;
	struct cell_made made;
	static struct msg msg; /* on the stack it would be pages that each fork copies */
	int status = receive_reply(sync_fd, &msg, err);

	if (status < 0)
		return status;
	if (msg.type == CELL_FAILED) {
		status = step_failed_decode(msg.body, msg.length, &failed, err);
		if (status == 0)
			status = err_set(err, (int)failed.error, "%s", failed.step);
	} else {
		status = cell_made_decode(msg.body, msg.length, &made, err);
		cell->folder_fd = msg_take_fd(&msg, 0);
		if (status == 0 && cell->folder_fd < 0)
			status = err_set(err, EPROTO, "the init sent no workspace");
		cell->layers = status == 0 ? made.layers : 0;
	}
	msg_done(&msg);
	return status;
}

static int raise_init(const struct cell_plan *plan, struct cell *cell, struct err *err)
{
	int sync[2];
	own_fd mine = -1;
	own_fd its = -1;
	pid_t pid = -1;
	int status;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) != 0)
		return err_errno(err, errno, "socketpair");
	mine = sync[0];
	its = sync[1];
	status = clone_init(plan, &pid, &cell->init_pidfd, err);
	if (status < 0)
		return status;
	if (pid == 0) {
		/* Or it would wait for a maker that has died, by whose end of its own. */
		fd_drop(&mine);
		cell_init_run(plan, its);
	}
	fd_drop(&its);
	status = write_maps(plan, pid, err);
	if (status == 0)
		status = chan_send_blocking(mine, CELL_MAKE, 0, NULL, 0, NULL, 0, err);
	return status < 0 ? status : finish(mine, cell, err);
}

int cell_start(const struct cell_plan *plan, struct cell *ret, struct err *err)
{
	struct cell cell = {.init_pidfd = -1, .folder_fd = -1};
	int status = 0;

	if ((plan->maker->layers_disabled & LAYER_NETWORK_NAMESPACE) == 0 &&
	    setns(plan->network_fd, CLONE_NEWNET) != 0)
		return err_errno(err, errno, "join the slot's network namespace");
	if ((plan->maker->layers_disabled & LAYER_TIME_NAMESPACE) == 0)
		status = timens_next(plan->maker->proc_fd, err);
	if (status == 0)
		status = raise_init(plan, &cell, err);
	if (status < 0) {
		/* With its init everything in the cell goes. */
		if (cell.init_pidfd >= 0)
			(void)syscall(SYS_pidfd_send_signal, cell.init_pidfd, SIGKILL, NULL, 0);
		fd_drop(&cell.init_pidfd);
		fd_drop(&cell.folder_fd);
		return status;
	}
	*ret = cell;
	return 0;
}
