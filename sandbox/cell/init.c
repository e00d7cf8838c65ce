/*
 * sandbox/cell/init.c - pid 1 of a cell: mounts what only this cell has, drops every right,
 * says that it is ready, and from then on only waits for the end.
 *
 * A job shares its user with this process and can do nothing to it: pid 1 ignores every signal
 * from inside its namespace, and it is not dumpable. It holds no descriptor but the lifeline.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/chan.h"
#include "sandbox/cell/cell.h"
#include "sandbox/layers/lockdown.h"
#include "sandbox/layers/privileges.h"
#include "sandbox/layers/seccomp.h"
#include "sandbox/layers/step_failed.h"
#include "sandbox/layers/userns.h"
#include "sandbox/layers/workspace.h"
#include "schema/status.h"

#define HOSTNAME "casemate"

/* Descriptors of a finished init, and of one about to report. */
enum { INIT_LIFELINE_FD, INIT_SYNC_FD, INIT_FOLDER_FD, INIT_SECCOMP_FD, INIT_FDS };

static int set_names(uint32_t layers_disabled, struct err *err)
{
	if (prctl(PR_SET_NAME, "cell-init", 0, 0, 0) != 0)
		return err_errno(err, errno, "name the init");
	if ((layers_disabled & LAYER_UTS_NAMESPACE) != 0)
		return 0;
	if (sethostname(HOSTNAME, sizeof(HOSTNAME) - 1) != 0 || setdomainname("", 0) != 0)
		return err_errno(err, errno, "set the host name");
	return 0;
}

/* Puts the four descriptors that stay where the enum says, and closes all others: the maker's
 * channel and its /proc must not be in here. Moves them above first, so that none is
 * overwritten before it is moved. */
static int keep_fds(const int wanted[INIT_FDS], struct err *err)
{
	int high[INIT_FDS];

	for (int i = 0; i < INIT_FDS; i++) {
		high[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, INIT_FDS);
		if (high[i] < 0)
			return err_errno(err, errno, "duplicate a descriptor of the init");
	}
	for (int i = 0; i < INIT_FDS; i++)
		if (dup3(high[i], i, O_CLOEXEC) < 0)
			return err_errno(err, errno, "place a descriptor of the init");
	if (syscall(SYS_close_range, (unsigned)INIT_FDS, ~0u, 0) != 0)
		return err_errno(err, errno, "close the maker's descriptors");
	return 0;
}

static int make_workspace(const struct cell_plan *plan, uint32_t uid, int *ret_fd,
			  struct err *err)
{
	/* Test builds: the maker has mounted one for all cells. */
	if ((plan->maker->layers_disabled & LAYER_MOUNT_NAMESPACE) != 0)
		return workspace_open(ret_fd, err);
	return workspace_mount(uid, plan->make.workspace_bytes, plan->make.workspace_inodes,
			       ret_fd, err);
}

static int set_up(const struct cell_plan *plan, int sync_fd, struct err *err)
{
	uint32_t off = plan->maker->layers_disabled;
	int wanted[INIT_FDS] = {plan->lifeline_fd, sync_fd, -1, plan->maker->seccomp_fd};
	/* Without a user namespace (test builds) no CELL_UID exists. */
	uint32_t uid = (off & LAYER_USER_NAMESPACE) != 0 ? 0 : CELL_UID;
	int status = set_names(off, err);

	/* The uid first: the kernel makes no file for a user that has no name in here. */
	if (status == 0 && uid != 0)
		status = privileges_become_cell_uid(err);
	if (status == 0)
		status = make_workspace(plan, uid, &wanted[INIT_FOLDER_FD], err);
	if (status == 0 && (off & LAYER_PID_NAMESPACE) == 0 && getpid() != 1)
		status = err_set(err, EPERM, "the init is not pid 1");
	/* Last, because it moves the channel that a failure is reported on. */
	return status < 0 ? status : keep_fds(wanted, err);
}

static int drop(const struct cell_plan *plan, struct err *err)
{
	uint32_t off = plan->maker->layers_disabled;
	int status = privileges_drop(off & ~(uint32_t)LAYER_NO_NEW_PRIVILEGES, err);

	if (status < 0)
		return status;
	/* After the drop, which resets it. If the maker died before, the lifeline or the closed
	 * sync channel ends this process. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return err_errno(err, errno, "tie the cell to its maker");
	return (off & LAYER_SECCOMP) != 0 ? 0 : seccomp_program_load(INIT_SECCOMP_FD, err);
}

static int report_made(const struct cell_plan *plan, struct err *err)
{
	uint32_t off = plan->maker->layers_disabled;
	uint64_t flags = lockdown_clone_flags(off);
	struct cell_made made = {.layers = lockdown_layers(flags)};
	const int folder = INIT_FOLDER_FD;
	uint8_t body[16];
	struct wr wr;

	if ((off & LAYER_MINIMAL_ROOT) == 0)
		made.layers |= LAYER_MINIMAL_ROOT;
	wr_init(&wr, body, sizeof(body));
	cell_made_encode(&wr, &made);
	return chan_send_blocking(INIT_SYNC_FD, CELL_MADE, 0, body, wr.length, &folder, 1, err);
}

/* Nothing is ever written to the lifeline: whatever happens on it is its end. */
static _Noreturn void wait_for_the_end(void)
{
	struct pollfd lifeline = {.fd = INIT_LIFELINE_FD, .events = POLLIN};

	while (syscall(SYS_poll, &lifeline, 1, -1) < 0)
		if (errno != EINTR)
			break;
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

static _Noreturn void give_up(int sync_fd, const struct err *why)
{
	err_ignore(step_failed_send(sync_fd, CELL_FAILED, 0, why, NULL),
		   "the maker sees the end of the channel instead");
	syscall(SYS_exit_group, 1);
	__builtin_unreachable();
}

_Noreturn void cell_init_run(const struct cell_plan *plan, int sync_fd)
{
	struct err err = {0};
	static struct msg go; /* not on the stack, whose every page the compiler would touch */

	/* Until the maps are written this process has no name for any user. */
	if (chan_receive_blocking(sync_fd, &go, &err) < 0 || set_up(plan, sync_fd, &err) < 0)
		give_up(sync_fd, &err);
	if (drop(plan, &err) < 0 || report_made(plan, &err) < 0)
		give_up(INIT_SYNC_FD, &err);
	/* The maker waits for this channel's message, the job must find none of them. */
	(void)close(INIT_SYNC_FD);
	(void)close(INIT_FOLDER_FD);
	(void)close(INIT_SECCOMP_FD);
	wait_for_the_end();
}
