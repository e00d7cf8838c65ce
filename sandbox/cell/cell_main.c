/*
 * sandbox/cell/cell_main.c - casemate-cell, the cell maker: started by the warden inside U0,
 * once per runtime, with the warden's channel as descriptor 3.
 *
 * It trusts the warden's messages. It moves into the runtime's read-only root, then makes a
 * cell for each CELL_MAKE; it never runs a job and holds nothing of one. When the warden closes
 * the channel it exits, and every cell with it.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/chan.h"
#include "base/log.h"
#include "sandbox/cell/cell.h"
#include "sandbox/layers/lockdown.h"
#include "sandbox/layers/root.h"
#include "sandbox/layers/step_failed.h"
#include "sandbox/layers/workspace.h"
#include "schema/limits.h"
#include "schema/status.h"
#include "schema/wire/setup.h"

static int send_made(uint64_t id, const struct cell *cell, struct err *err)
{
	const struct cell_made made = {.layers = cell->layers};
	const int fds[] = {cell->init_pidfd, cell->folder_fd};
	uint8_t body[16];
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	cell_made_encode(&wr, &made);
	return chan_send_blocking(SETUP_FD, CELL_MADE, id, body, wr.length, fds,
				  ARRAY_COUNT(fds), err);
}

static int send_ready(struct err *err)
{
	const struct cell_ready ready = {.empty = 0};
	uint8_t body[4];
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	cell_ready_encode(&wr, &ready);
	return chan_send_blocking(SETUP_FD, CELL_READY, 0, body, wr.length, NULL, 0, err);
}

/* /proc by descriptor, before the root without one is entered. It must count pids as this
 * process does, or the maps of a stranger would be written. */
static int open_proc(int *ret_fd, struct err *err)
{
	own_fd fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char self[16] = {0};

	if (fd < 0 || readlinkat(fd, "self", self, sizeof(self) - 1) <= 0)
		return err_errno(err, errno, "open /proc");
	if (strtol(self, NULL, 10) != getpid())
		return err_set(err, EPERM, "/proc is of another pid namespace");
	*ret_fd = fd_take(&fd);
	return 0;
}

static int serve_setup(void *owner, struct msg *msg, struct err *err)
{
	struct cell_maker *maker = owner;
	struct cell_setup setup;
	int status = cell_setup_decode(msg->body, msg->length, &setup, err);

	if (status == 0)
		status = lockdown_check_disabled(setup.layers_disabled, err);
	if (status == 0)
		status = open_proc(&maker->proc_fd, err);
	if (status == 0)
		status = root_enter(setup.root_paths, setup.layers_disabled, err);
	if (status == 0 && (setup.layers_disabled & LAYER_MOUNT_NAMESPACE) != 0)
		status = workspace_mount_shared(LIMIT_WORKSPACE_BYTES_DEFAULT,
						LIMIT_WORKSPACE_INODES, err);
	if (status < 0)
		return status;
	maker->seccomp_fd = msg_take_fd(msg, 0);
	maker->layers_disabled = setup.layers_disabled;
	return send_ready(err);
}

static int serve_make(void *owner, struct msg *msg, struct err *err)
{
	struct cell_plan plan = {
		.maker = owner,
		.lifeline_fd = msg->fds[0],
		.network_fd = msg->fds[1],
	};
	struct err why = {0};
	struct cell cell;
	int status = cell_make_decode(msg->body, msg->length, &plan.make, err);

	if (status < 0)
		return status;
	if (cell_start(&plan, &cell, &why) < 0) {
		log_event(LOG_ERROR, "cell_failed", LOG_INT("slot", msg->id),
			  LOG_STR("step", why.text));
		return step_failed_send(SETUP_FD, CELL_FAILED, msg->id, &why, err);
	}
	status = send_made(msg->id, &cell, err);
	fd_drop(&cell.init_pidfd);
	fd_drop(&cell.folder_fd);
	return status;
}

enum { STATE_NEW = 1, STATE_READY = 2 };

static const struct route routes[] = {
	{CELL_SETUP, STATE_NEW, 1, 1, serve_setup},
	{CELL_MAKE, STATE_READY, 2, 2, serve_make},
};

/* Ends only by an error: the warden's closing of the channel is one (-ECONNRESET). */
static int serve(struct cell_maker *maker, struct err *err)
{
	static struct msg msg;
	uint32_t state = STATE_NEW;
	int status;

	while ((status = chan_receive_blocking(SETUP_FD, &msg, err)) == 0) {
		status = route_dispatch(routes, ARRAY_COUNT(routes), state, maker, &msg, err);
		msg_done(&msg);
		if (status < 0)
			break;
		state = STATE_READY;
	}
	return status;
}

static int prepare(struct err *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return err_errno(err, errno, "tie the cell maker to the warden");
	if (fcntl(SETUP_FD, F_SETFD, FD_CLOEXEC) != 0)
		return err_errno(err, errno, "descriptor %d is not the warden's channel",
				 SETUP_FD);
	/* Ended inits, and in them orphaned processes of jobs, are reaped by the kernel. */
	if (signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		return err_errno(err, errno, "ignore SIGCHLD");
	return 0;
}

int main(int argc, char **argv)
{
	struct cell_maker maker = {.proc_fd = -1, .seccomp_fd = -1};
	struct err err = {0};
	int status;

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		(void)printf("casemate-cell %s\n", CASEMATE_VERSION);
		return 0;
	}
	if (argc > 1) {
		(void)printf(
			"casemate-cell is started by casemate-warden; it has no options.\n");
		return strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	log_init("cell", LOG_INFO);
	status = prepare(&err);
	if (status == 0)
		status = serve(&maker, &err);
	if (status == -ECONNRESET)
		return 0;
	log_event(LOG_ERROR, "cell_maker_failed", LOG_STR("why", err.text));
	err_ignore(step_failed_send(SETUP_FD, CELL_FAILED, 0, &err, NULL),
		   "the warden sees the closed channel");
	return 1;
}
