#include "sandbox/zygote/zygote.h"

#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "sandbox/layers/root.h"
#include "sandbox/layers/step_failed.h"
#include "sandbox/zygote/process.h"
#include "sandbox/zygote/worker.h"

#define CHANNEL_FD 3 /* to the warden, as it starts us */

enum zygote_state { ZYGOTE_NEW = 1, ZYGOTE_SERVING = 2 };

struct zygote {
	const struct zygote_ops *ops;
	int channel;
	uint32_t state;
	int seccomp_memfd; /* owned; the program every worker loads */
	unsigned landlock_abi_min;
	bool tells_denials;
	uint32_t layers_disabled;
	uint8_t level;
	char root_paths[4096 + 1]; /* see struct lockdown */
	char fail_step[64];	   /* test builds: this step of every worker fails */
	int *tid_slot;		   /* where libc caches this thread's number */
	struct zygote_modules modules;
};

static int send_ready(struct zygote *zygote, struct err *err)
{
	struct zygote_ready ready = {.address_space_bytes = process_address_space_bytes()};
	uint8_t body[sizeof(ready) + 16];
	struct wr wr;

	(void)snprintf(ready.version, sizeof(ready.version), "%s", zygote->modules.version);
	(void)snprintf(ready.modules, sizeof(ready.modules), "%s", zygote->modules.loaded);
	wr_init(&wr, body, sizeof(body));
	zygote_ready_encode(&wr, &ready);
	return chan_send_blocking(zygote->channel, ZYGOTE_READY, 0, body, wr.length, NULL, 0,
				  err);
}

/* Some modules want to write while they are imported: matplotlib its list of fonts. A mount
 * namespace of our own, because workers and cells must not see what is left there. No
 * protection hangs on it: without it such modules are reported as not loaded. */
static void make_scratch(void)
{
	if (unshare(CLONE_NEWNS) == 0)
		(void)mount("scratch", ROOT_TMP, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			    "size=16m,nr_inodes=256");
}

static bool has_cells(const struct zygote *zygote)
{
	return (level_layers(zygote->level) & LAYERS_OF_CELL) != 0;
}

static int load(struct zygote *zygote, const struct zygote_setup *setup, struct err *err)
{
	int status = lockdown_check_disabled(setup->layers_disabled, err);

	/* Without cells nobody here has the right to. */
	if (status == 0 && has_cells(zygote))
		make_scratch();
	if (status == 0)
		status = zygote->ops->load(setup, &zygote->modules, err);
	if (status == 0)
		status = process_find_tid_slot(&zygote->tid_slot, err);
	if (status == 0)
		status = process_is_single_threaded(err);
	return status;
}

/* Test builds: "fail-step=NAME" instead of a list of modules makes that step of every worker
 * fail, to show that none of them then gets a job. */
static void choose_failure(struct zygote *zygote, struct zygote_setup *setup)
{
#ifdef CASEMATE_TEST_BUILD
	static const char mark[] = "fail-step=";

	if (strncmp(setup->preload, mark, sizeof(mark) - 1) != 0)
		return;
	(void)snprintf(zygote->fail_step, sizeof(zygote->fail_step), "%s",
		       setup->preload + sizeof(mark) - 1);
	setup->preload[0] = '\0';
#else
	(void)zygote;
	(void)setup;
#endif
}

/* A zygote that cannot be what it must be says why and ends: nothing half-ready is left. */
static int serve_setup(void *owner, struct msg *msg, struct err *err)
{
	struct zygote *zygote = owner;
	static struct zygote_setup setup;
	int status = zygote_setup_decode(msg->body, msg->length, &setup, err);

	if (status < 0)
		return status;
	zygote->seccomp_memfd = msg_take_fd(msg, 0);
	zygote->landlock_abi_min = setup.landlock_abi_min;
	zygote->tells_denials = setup.tells_denials != 0;
	zygote->layers_disabled = setup.layers_disabled;
	zygote->level = setup.level;
	(void)snprintf(zygote->root_paths, sizeof(zygote->root_paths), "%s", setup.root_paths);
	choose_failure(zygote, &setup);
	status = load(zygote, &setup, err);
	if (status < 0) {
		err_ignore(step_failed_send(zygote->channel, ZYGOTE_FAILED, msg->id, err, NULL),
			   "the end is seen anyway");
		return status;
	}
	zygote->state = ZYGOTE_SERVING;
	return send_ready(zygote, err);
}

static void order_worker(const struct zygote *zygote, const struct zygote_fork *order,
			 const struct msg *msg, struct worker *ret)
{
	*ret = (struct worker){
		.ops = zygote->ops,
		.place_fd = msg->fds[0],
		.channel = msg->fds[1],
		.stdout_fd = msg->fds[2],
		.stderr_fd = msg->fds[3],
		.cgroup_count = msg->fd_count - 4,
		.lockdown =
			{
				.limits =
					{
						.address_space_bytes =
							order->address_space_bytes,
						.processes = order->processes,
						.open_files = order->open_files,
						.cpu_s = order->cpu_s,
						.file_bytes = order->file_bytes,
					},
				.landlock_abi_min = zygote->landlock_abi_min,
				.seccomp_memfd = zygote->seccomp_memfd,
				.tells_denials = zygote->tells_denials,
				.layers_disabled = zygote->layers_disabled,
				.level = zygote->level,
				.uid = order->uid,
				.root_paths = zygote->root_paths,
			},
		.fail_step = zygote->fail_step,
	};
	memcpy(ret->cgroup_fds, &msg->fds[4], ret->cgroup_count * sizeof(int));
}

/*
 * setns(2) changes only where our next child is born; we stay where we are. There is no way
 * back, because our own pid namespace belongs to the host, over which nobody here has a right;
 * none is needed, because every fork names its cell. What stays behind is a reference to a dead
 * namespace.
 */
static int fork_into_cell(struct zygote *zygote, struct worker *worker, pid_t *ret_pid,
			  int *ret_pidfd, struct err *err)
{
	bool has_pid_namespace =
		has_cells(zygote) && (zygote->layers_disabled & LAYER_PID_NAMESPACE) == 0;
	int status;

	if (has_pid_namespace && setns(worker->place_fd, CLONE_NEWPID) != 0)
		return err_errno(err, errno, "enter the cell's pid namespace");
	zygote->ops->fork_before();
	status = process_fork_for_parent(zygote->tid_slot, ret_pid, ret_pidfd, err);
	if (status == 0 && *ret_pid == 0)
		worker_main(worker);
	zygote->ops->fork_parent();
	return status;
}

static int serve_fork(void *owner, struct msg *msg, struct err *err)
{
	struct zygote *zygote = owner;
	struct zygote_forked forked = {0};
	struct zygote_fork order;
	struct worker worker;
	struct err why = {0};
	own_fd pidfd = -1;
	uint8_t body[8];
	struct wr wr;
	pid_t pid;
	int status = zygote_fork_decode(msg->body, msg->length, &order, err);

	if (status < 0)
		return status;
	if (msg->fd_count != 4 + order.cgroup_files)
		return err_set(err, EPROTO, "fork with %u descriptors", msg->fd_count);
	order_worker(zygote, &order, msg, &worker);
	if (fork_into_cell(zygote, &worker, &pid, &pidfd, &why) < 0)
		return step_failed_send(zygote->channel, ZYGOTE_FAILED, msg->id, &why, err);
	forked.pid = (uint32_t)pid;
	wr_init(&wr, body, sizeof(body));
	zygote_forked_encode(&wr, &forked);
	return chan_send_blocking(zygote->channel, ZYGOTE_FORKED, msg->id, body, wr.length,
				  &pidfd, 1, err);
}

static const struct route routes[] = {
	{ZYGOTE_SETUP, ZYGOTE_NEW, 1, 1, serve_setup},
	{ZYGOTE_FORK, ZYGOTE_SERVING, 4, CHAN_FDS_MAX, serve_fork},
};

static void log_loaded(const struct zygote *zygote)
{
	log_event(LOG_INFO, "loaded", LOG_STR("version", zygote->modules.version),
		  LOG_STR("modules", zygote->modules.loaded));
	if (zygote->modules.missing[0] != '\0')
		log_event(LOG_WARN, "not_preloaded",
			  LOG_STR("modules", zygote->modules.missing));
}

static int serve(struct zygote *zygote, struct err *err)
{
	static struct msg msg; /* 60 KiB that each worker would otherwise copy from the stack */
	int status;

	for (;;) {
		uint32_t before = zygote->state;

		status = chan_receive_blocking(zygote->channel, &msg, err);
		if (status == -ECONNRESET)
			return 0;
		if (status == 0) {
			status = route_dispatch(routes, ARRAY_COUNT(routes), zygote->state,
						zygote, &msg, err);
			msg_done(&msg);
		}
		if (status < 0)
			return status;
		if (before == ZYGOTE_NEW)
			log_loaded(zygote);
	}
}

int zygote_main(int argc, char **argv, const char *name, const struct zygote_ops *ops)
{
	/* Not on the stack, which every worker would copy. */
	static struct zygote zygote;
	struct err err = {0};

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		(void)printf("casemate-%s " CASEMATE_VERSION "\n", name);
		return 0;
	}
	zygote = (struct zygote){
		.ops = ops,
		.channel = CHANNEL_FD,
		.state = ZYGOTE_NEW,
		.seccomp_memfd = -1,
	};
	log_init(name, LOG_INFO);
	if (serve(&zygote, &err) < 0) {
		log_event(LOG_ERROR, "stopped", LOG_STR("why", err.text));
		return 1;
	}
	return 0;
}
