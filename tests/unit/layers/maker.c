#include "tests/unit/layers/maker.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/chan.h"
#include "sandbox/layers/netns.h"
#include "sandbox/layers/seccomp.h"
#include "schema/wire/setup.h"
#include "schema/wire/warden_worker.h"

static int open_binary(struct err *err)
{
	char self[PATH_MAX] = {0};
	char path[PATH_MAX + 64];
	int fd, binary;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0)
		return err_errno(err, errno, "own path");
	(void)snprintf(path, sizeof(path), "%s/../libexec/casemate/casemate-cell",
		       dirname(self));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open %s", path);
	/* Out of the way of the channel's place. */
	binary = fcntl(fd, F_DUPFD_CLOEXEC, SETUP_FD + 8);
	(void)close(fd);
	return binary;
}

int maker_spawn(struct maker *ret, struct err *err)
{
	static char name[] = "casemate-cell";
	char *const args[] = {name, NULL};
	char *const env[] = {NULL};
	int binary = open_binary(err);
	int ends[2];
	pid_t pid;

	if (binary < 0 || chan_pair(ends, err) < 0)
		return -EIO;
	pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], SETUP_FD);
		(void)syscall(SYS_close_range, SETUP_FD + 1, binary - 1, 0);
		(void)syscall(SYS_execveat, binary, "", args, env, AT_EMPTY_PATH);
		_exit(127);
	}
	(void)close(ends[1]);
	(void)close(binary);
	if (pid < 0)
		return err_errno(err, errno, "fork");
	ret->channel_fd = ends[0];
	ret->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return 0;
}

int maker_set_up(const struct maker *maker, const char *root_paths, uint32_t layers_disabled,
		 struct err *err)
{
	struct cell_setup setup = {.layers_disabled = layers_disabled};
	static struct msg reply;
	uint8_t body[8192];
	own_fd program = -1;
	struct wr wr;

	(void)snprintf(setup.root_paths, sizeof(setup.root_paths), "%s", root_paths);
	wr_init(&wr, body, sizeof(body));
	cell_setup_encode(&wr, &setup);
	if (seccomp_program_compile(SECCOMP_LIST_INIT, SECCOMP_QUIET, &program, err) < 0 ||
	    chan_send_blocking(maker->channel_fd, CELL_SETUP, 0, body, wr.length, &program, 1,
			       err) < 0 ||
	    chan_receive_blocking(maker->channel_fd, &reply, err) < 0)
		return -EIO;
	if (reply.type == CELL_READY)
		return 0;
	return err_set(err, EPROTO, "set-up: %.*s", (int)reply.length,
		       (const char *)reply.body);
}

int maker_start(struct maker *ret, const char *root_paths, uint32_t layers_disabled,
		struct err *err)
{
	int status = maker_spawn(ret, err);

	return status < 0 ? status : maker_set_up(ret, root_paths, layers_disabled, err);
}

int maker_make(const struct maker *maker, uint32_t uid, uint64_t bytes, struct made *ret,
	       struct err *err)
{
	struct cell_make make = {.uid = uid, .workspace_bytes = bytes, .workspace_inodes = 64};
	struct made made = {.network_fd = -1};
	static struct msg reply;
	struct cell_made cell;
	uint8_t body[64];
	int pipe_fds[2];
	struct wr wr;
	int status = netns_new(&made.network_fd, err);

	if (status < 0 || pipe2(pipe_fds, O_CLOEXEC) != 0)
		return -EIO;
	made.lifeline_fd = pipe_fds[1];
	wr_init(&wr, body, sizeof(body));
	cell_make_encode(&wr, &make);
	status = chan_send_blocking(maker->channel_fd, CELL_MAKE, 7, body, wr.length,
				    (int[]){pipe_fds[0], made.network_fd}, 2, err);
	(void)close(pipe_fds[0]);
	if (status == 0)
		status = chan_receive_blocking(maker->channel_fd, &reply, err);
	if (status < 0)
		return status;
	if (reply.type != CELL_MADE || reply.id != 7)
		return err_set(err, EPROTO, "make: %.*s", (int)reply.length - 6,
			       (const char *)reply.body + 2);
	made.init_pidfd = msg_take_fd(&reply, 0);
	made.folder_fd = msg_take_fd(&reply, 1);
	status = cell_made_decode(reply.body, reply.length, &cell, err);
	made.layers = cell.layers;
	*ret = made;
	return status;
}

void made_done(struct made *made)
{
	fd_drop(&made->lifeline_fd);
	fd_drop(&made->init_pidfd);
	fd_drop(&made->folder_fd);
	fd_drop(&made->network_fd);
}

int pidfd_wait(int pidfd, struct err *err)
{
	struct pollfd wait = {.fd = pidfd, .events = POLLIN};

	if (poll(&wait, 1, 5000) != 1)
		return err_set(err, ETIMEDOUT, "the process is still alive");
	return 0;
}
