/*
 * sandbox/warden/making.c - a slot from EMPTY to READY.
 *
 * The cell maker and the zygote are our own programs and read no untrusted byte, but what they
 * say is decoded and checked against the slot's state all the same: whoever breaks the protocol
 * is killed and started again.
 */
#include "sandbox/warden/making.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/layers/netns.h"
#include "sandbox/warden/bare.h"
#include "sandbox/warden/boost.h"
#include "sandbox/warden/ending.h"
#include "sandbox/warden/ledger.h"
#include "sandbox/warden/output.h"
#include "sandbox/warden/proc_text.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"

#define LAYERS_CGROUP (LAYER_CGROUP_MEMORY | LAYER_CGROUP_PIDS | LAYER_CGROUP_CPU)

void making_failed(struct slot *slot, const struct err *why)
{
	struct runtime *runtime = slot->runtime;
	struct warden *warden = slot->warden;
	struct err err = *why;

	runtime->workers_failed++;
	runtime->failures_in_row++;
	log_event(LOG_ERROR, "worker_failed", LOG_STR("runtime", runtime->setup.name),
		  LOG_INT("slot", slot->index), LOG_STR("while", slot_doing(slot->state)),
		  LOG_STR("why", why->text), LOG_INT("failures", runtime->failures_in_row));
	if (warden->state == WARDEN_STARTING) {
		err_ignore(err_prefix(&err, "runtime %s, %s", runtime->setup.name,
				      slot_doing(slot->state)),
			   "the text is wanted");
		warden_die(warden, &err);
	}
	loop_timer_start(&warden->loop, &runtime->retry, backoff_us(runtime->failures_in_row));
	ending_begin(slot);
}

static int own_things(struct slot *slot, struct err *err)
{
	struct warden *warden = slot->warden;
	struct cgroup_limits limits =
		warden_limits(warden, LIMIT_MEMORY_BYTES_DEFAULT,
			      LIMIT_PROCESSES_DEFAULT + run_processes_of_worker(slot));
	char name[16];
	int status = 0;

	if (slot->aside == NULL)
		status = aside_new(&warden->loop, slot->index, &slot->aside, err);
	if (status == 0 && slot->netns_fd < 0 && warden_has_cells(warden))
		status = netns_new(&slot->netns_fd, err);
	if (status < 0)
		return status;
	(void)snprintf(name, sizeof(name), "w%u", slot->index);
	return cgroup_group_prepare(&warden->cgroups, &slot->group, name, &limits, err);
}

static int ask_for_cell(struct slot *slot, struct err *err)
{
	struct cell_make make = {.uid = slot->uid,
				 .workspace_bytes = LIMIT_WORKSPACE_BYTES_DEFAULT,
				 .workspace_inodes = LIMIT_WORKSPACE_INODES};
	uint8_t body[sizeof(make) + 16];
	own_fd read_end = -1;
	int ends[2];
	struct wr wr;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe for the lifeline");
	read_end = ends[0];
	slot->lifeline_fd = ends[1];
	slot->workspace_bytes = make.workspace_bytes;
	wr_init(&wr, body, sizeof(body));
	cell_make_encode(&wr, &make);
	return chan_send(&slot->runtime->maker.chan, CELL_MAKE, slot_message_id(slot), body,
			 wr.length, (int[]){read_end, slot->netns_fd}, 2, err);
}

static int ask_for_worker(struct slot *slot, struct err *err);

/* Without a cell maker to wait for, the worker is asked for at once. */
static int make_place(struct slot *slot, struct err *err)
{
	int status;

	if (warden_has_cells(slot->warden))
		return ask_for_cell(slot, err);
	status = bare_make(slot, err);
	if (status < 0)
		return status;
	slot_enter(slot, SLOT_FORKING);
	return ask_for_worker(slot, err);
}

void making_begin(struct slot *slot, struct runtime *runtime)
{
	struct err err = {0};
	int status;

	slot->runtime = runtime;
	slot->generation++;
	slot->began_us = clock_mono_us();
	slot_enter(slot, SLOT_CELL_MAKING);
	status = own_things(slot, &err);
	if (status == 0)
		status = make_place(slot, &err);
	if (status < 0)
		making_failed(slot, &err);
}

/* What a program that is started ahead may reserve before there is a job. */
#define AHEAD_RESERVE_BYTES (64ull << 30)

/* Ceilings only: the job's own values follow when it comes. Without a memory group the address
 * space is the only limit on memory, counted from what the zygote has mapped already. */
static void fork_limits(const struct slot *slot, struct zygote_fork *ret)
{
	const struct setup_warden_config *config = &slot->warden->config;
	bool has_memory_group = (slot->warden->cgroups.layers & LAYER_CGROUP_MEMORY) != 0;
	uint64_t ahead_bytes = runtime_starts_ahead(slot->runtime) ? AHEAD_RESERVE_BYTES : 0;

	ret->address_space_bytes = has_memory_group
					   ? 0
					   : slot->runtime->zygote_says.address_space_bytes +
						     ahead_bytes + config->memory_bytes_max;
	ret->processes = run_limits_processes(slot)
				 ? config->processes_max + run_processes_of_cell(slot) +
					   RUN_PROCESSES_SPARE
				 : UINT32_MAX;
	ret->open_files = config->open_files_max;
	ret->cpu_s = LIMIT_CPU_MS_MAX / 1000 + 1;
	ret->file_bytes = LIMIT_WORKSPACE_BYTES_MAX;
	ret->uid = warden_has_cells(slot->warden) ? 0 : slot->uid;
}

static int ask_for_worker(struct slot *slot, struct err *err)
{
	struct zygote_fork order = {0};
	uint8_t body[sizeof(order) + 16];
	own_fd out = -1;
	own_fd errors = -1;
	own_fd theirs = -1;
	int files[4 + CGROUP_PLACES];
	int pair[2];
	struct wr wr;
	int status = stream_open(&slot->out, &out, err);

	if (status == 0)
		status = stream_open(&slot->errors, &errors, err);
	if (status == 0)
		status = chan_pair(pair, err);
	if (status < 0)
		return status;
	slot->out.over = output_is_over;
	slot->errors.over = output_is_over;
	slot->channel_fd = pair[0];
	theirs = pair[1];
	files[0] = warden_has_cells(slot->warden) ? slot->init_pidfd : slot->place_fd;
	files[1] = theirs;
	files[2] = out;
	files[3] = errors;
	order.cgroup_files = cgroup_group_join_files(&slot->group, files + 4);
	fork_limits(slot, &order);
	wr_init(&wr, body, sizeof(body));
	zygote_fork_encode(&wr, &order);
	return chan_send(&slot->runtime->zygote.chan, ZYGOTE_FORK, slot_message_id(slot), body,
			 wr.length, files, 4 + order.cgroup_files, err);
}

static int serve_cell_made(void *owner, struct msg *msg, struct err *err)
{
	struct slot *slot = owner;
	struct cell_made made;
	struct err why = {0};
	int status = cell_made_decode(msg->body, msg->length, &made, err);

	if (status < 0)
		return status;
	slot->layers = made.layers;
	slot->init_pidfd = msg_take_fd(msg, 0);
	slot->workspace_fd = msg_take_fd(msg, 1);
	slot->init_watch.ready = ending_init_exited;
	status = loop_watch(&slot->warden->loop, &slot->init_watch, slot->init_pidfd, EPOLLIN,
			    &why);
	if (status == 0 && !slot->runtime->zygote.is_ready)
		status = err_set(&why, EAGAIN, "the zygote is being restarted");
	if (status == 0) {
		slot_enter(slot, SLOT_FORKING);
		status = ask_for_worker(slot, &why);
	}
	if (status < 0)
		making_failed(slot, &why);
	return 0;
}

static int serve_step_failed(void *owner, struct msg *msg, struct err *err)
{
	struct slot *slot = owner;
	struct step_failed failed;
	struct err why = {0};
	int status = step_failed_decode(msg->body, msg->length, &failed, err);

	if (status < 0)
		return status;
	err_ignore(
		err_set(&why, failed.error != 0 ? (int)failed.error : EIO, "%s", failed.step),
		"the text is wanted");
	making_failed(slot, &why);
	return 0;
}

/* The layers that hold for the worker, from those who made them and what we know better. */
static uint32_t layers_of(const struct slot *slot, const struct worker_ready *ready)
{
	uint32_t layers = (slot->layers | ready->layers) & ~(uint32_t)LAYERS_CGROUP;

	layers |= slot->warden->cgroups.layers;
	/* With a single mapping all jobs share the service's own uid. */
	if (slot->uid == 0)
		layers &= ~(uint32_t)LAYER_OWN_UID;
	return layers & ~slot->warden->config.layers_disabled;
}

int making_check_layers(uint32_t required, uint32_t layers, struct err *err)
{
	uint32_t missing = required & ~layers;
	char names[256] = "";
	size_t used = 0;

	for (unsigned i = 0; i < LAYER_COUNT && missing != 0; i++)
		if ((missing & (1u << i)) != 0 && used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 used > 0 ? ", " : "", layer_name(i));
	if (missing != 0)
		return err_set(
			err, ENOTSUP,
			"required layers are missing: %s; run casemate doctor, or take them "
			"out of isolation.layers_required",
			names);
	return 0;
}

/* Threads of a process: the kernel counts each as a link of this folder, beside the usual two.
 */
static int count_tasks(pid_t pid, unsigned *ret, struct err *err)
{
	char path[64];
	struct stat folder;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	if (stat(path, &folder) != 0)
		return err_errno(err, errno, "count the program's threads");
	if (folder.st_nlink < 3)
		return err_set(err, EPROTO, "a program without a thread");
	*ret = (unsigned)folder.st_nlink - 2;
	return 0;
}

/* What it has mapped is no measure of what it uses: node reserves a gigabyte. */
static int measure_program(pid_t pid, uint64_t *ret_bytes, struct err *err)
{
	char path[64];
	char text[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	if (proc_text(path, text, sizeof(text)) <= 0)
		return err_errno(err, errno, "measure the program's address space");
	*ret_bytes = strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

/* The one child of the worker, in our pid namespace, from the kernel: limits are set on it. */
static int find_program(struct slot *slot, struct err *err)
{
	char path[64];
	char text[64];
	int status;
	char *end;

	if (!runtime_starts_ahead(slot->runtime))
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)slot->worker_pid,
		       (int)slot->worker_pid);
	if (proc_text(path, text, sizeof(text)) < 0)
		return err_errno(err, errno,
				 "read the worker's children (CONFIG_PROC_CHILDREN, and "
				 "/proc without hidepid at level landlock)");
	slot->program_pid = (pid_t)strtol(text, &end, 10);
	/* "123 " */
	if (slot->program_pid <= 0 || strspn(end, " ") != strlen(end))
		return err_set(err, EPROTO, "the worker has started not one program (\"%s\")",
			       text);
	status = count_tasks(slot->program_pid, &slot->program_tasks, err);
	return status < 0 ? status
			  : measure_program(slot->program_pid, &slot->program_bytes, err);
}

static void worker_is_ready(struct slot *slot)
{
	struct warden *warden = slot->warden;
	struct err err = {0};

	if (output_expect_silence(slot, &err) < 0 || find_program(slot, &err) < 0) {
		making_failed(slot, &err);
		return;
	}
	loop_unwatch(&warden->loop, &slot->channel_watch);
	slot->cpu_before_us = run_cpu_us(slot);
	slot->runtime->failures_in_row = 0;
	slot->runtime->workers_made++;
	slot_enter(slot, SLOT_READY);
	boost_give(slot);
	log_event(LOG_DEBUG, "worker_ready", LOG_INT("slot", slot->index),
		  LOG_INT("us", (int64_t)(clock_mono_us() - slot->began_us)));
	ledger_tell_capabilities(warden, slot->layers, slot->landlock_abi);
	warden_progress(warden);
}

static void serve_worker_ready(struct slot *slot, const struct msg *msg)
{
	struct warden *warden = slot->warden;
	struct worker_ready ready;
	struct err err = {0};
	int status = worker_ready_decode(msg->body, msg->length, &ready, &err);

	if (status == 0) {
		slot->layers = layers_of(slot, &ready);
		slot->landlock_abi = ready.landlock_abi;
		status =
			making_check_layers(warden->config.layers_required, slot->layers, &err);
	}
	if (status < 0) {
		making_failed(slot, &err);
		return;
	}
	if (ready.listener_fd == 0) {
		worker_is_ready(slot);
		return;
	}
	/* It now makes a call that is denied, and waits for us to see and refuse it. */
	status = notify_open(slot, (int)ready.listener_fd, &err);
	if (status < 0)
		making_failed(slot, &err);
}

void making_proved(struct slot *slot, bool is_right)
{
	struct err err = {0};

	if (is_right) {
		worker_is_ready(slot);
		return;
	}
	err_ignore(err_set(&err, EPROTO, "another call was refused than the one that proves"),
		   "the text is wanted");
	making_failed(slot, &err);
}

static void channel_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct slot *slot = watch->owner;
	static struct msg msg;
	struct err err = {0};

	(void)events;
	if (chan_receive_blocking(slot->channel_fd, &msg, &err) < 0) {
		/* Hung up: its exit is told by the pidfd, with the reason. */
		loop_unwatch(loop, watch);
		return;
	}
	if (msg.type == WORKER_READY)
		serve_worker_ready(slot, &msg);
	else if (msg.type != WORKER_FAILED)
		err_ignore(err_set(&err, EPROTO, "message %u before WORKER_READY", msg.type),
			   "handled below");
	else if (serve_step_failed(slot, &msg, &err) == 0)
		err.code = 0;
	if (err.code != 0)
		making_failed(slot, &err);
	msg_done(&msg);
}

bool making_hear_last(struct slot *slot)
{
	char first;

	if (slot->state != SLOT_LOCKING ||
	    recv(slot->channel_fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		return false;
	channel_ready(&slot->warden->loop, &slot->channel_watch, EPOLLIN);
	return slot->state == SLOT_ENDING;
}

static int serve_forked(void *owner, struct msg *msg, struct err *err)
{
	struct slot *slot = owner;
	struct zygote_forked forked;
	struct err why = {0};
	int status = zygote_forked_decode(msg->body, msg->length, &forked, err);

	if (status < 0)
		return status;
	fd_drop(&slot->place_fd);
	slot->worker_pidfd = msg_take_fd(msg, 0);
	slot->worker_pid = (pid_t)forked.pid;
	slot_enter(slot, SLOT_LOCKING);
	slot->worker_watch.ready = ending_worker_exited;
	slot->channel_watch.ready = channel_ready;
	status = loop_watch(&slot->warden->loop, &slot->worker_watch, slot->worker_pidfd,
			    EPOLLIN, &why);
	if (status == 0)
		status = loop_watch(&slot->warden->loop, &slot->channel_watch, slot->channel_fd,
				    EPOLLIN, &why);
	if (status < 0)
		making_failed(slot, &why);
	return 0;
}

static const struct route maker_routes[] = {
	{CELL_MADE, SLOT_BIT(CELL_MAKING), 2, 2, serve_cell_made},
	{CELL_FAILED, SLOT_BIT(CELL_MAKING), 0, 0, serve_step_failed},
};

static const struct route zygote_routes[] = {
	{ZYGOTE_FORKED, SLOT_BIT(FORKING), 1, 1, serve_forked},
	{ZYGOTE_FAILED, SLOT_BIT(FORKING), 0, 0, serve_step_failed},
};

/* The program refuses its set-up, with the step that failed. */
static int start_failed(const struct msg *msg, struct err *err)
{
	struct step_failed failed;

	if (step_failed_decode(msg->body, msg->length, &failed, err) < 0)
		return -EBADMSG;
	return err_set(err, failed.error != 0 ? (int)failed.error : EIO, "%s", failed.step);
}

static void child_is_ready(struct child *child)
{
	struct runtime *runtime = child->owner;
	struct warden *warden = runtime->warden;

	child->is_ready = true;
	child->failures = 0;
	loop_timer_stop(&warden->loop, &child->deadline);
	log_event(LOG_INFO, "program_ready", LOG_STR("program", child->name),
		  LOG_STR("runtime", runtime->setup.name));
	warden_pool_changed(warden);
}

static int maker_start_message(struct child *maker, const struct msg *msg, struct err *err)
{
	struct runtime *runtime = maker->owner;

	if (msg->type == CELL_FAILED)
		return start_failed(msg, err);
	if (msg->type != CELL_READY)
		return err_set(err, EPROTO, "message %u before CELL_READY", msg->type);
	child_is_ready(maker);
	if (runtime->zygote.pid == 0 && !runtime->zygote.restart.is_armed)
		loop_timer_start(&runtime->warden->loop, &runtime->zygote.restart, 0);
	return 0;
}

static int zygote_start_message(struct child *zygote, const struct msg *msg, struct err *err)
{
	struct runtime *runtime = zygote->owner;
	int status;

	if (msg->type == ZYGOTE_FAILED)
		return start_failed(msg, err);
	if (msg->type != ZYGOTE_READY)
		return err_set(err, EPROTO, "message %u before ZYGOTE_READY", msg->type);
	status = zygote_ready_decode(msg->body, msg->length, &runtime->zygote_says, err);
	if (status < 0)
		return status;
	child_is_ready(zygote);
	ledger_tell_runtime(runtime);
	return 0;
}

/* An answer about a worker that has been given up: its descriptors are closed with the message,
 * and a process in it is killed with its cell and reaped as a stranger. */
static bool is_late(const struct slot *slot)
{
	return slot == NULL || slot->state == SLOT_ENDING || slot->state == SLOT_EMPTY;
}

static void serve(struct chan *chan, struct msg *msg, const struct route *routes, size_t count,
		  int (*start)(struct child *, const struct msg *, struct err *))
{
	struct child *child = chan->owner;
	struct runtime *runtime = child->owner;
	struct err err = {0};
	int status;

	if (!child->is_ready) {
		status = start(child, msg, &err);
	} else {
		struct slot *slot = slot_of_message(runtime->warden, msg->id);

		if (is_late(slot))
			return;
		status = route_dispatch(routes, count, 1u << slot->state, slot, msg, &err);
	}
	if (status < 0)
		child_fail(child, &err);
}

void making_serve_maker(struct chan *chan, struct msg *msg)
{
	serve(chan, msg, maker_routes, ARRAY_COUNT(maker_routes), maker_start_message);
}

void making_serve_zygote(struct chan *chan, struct msg *msg)
{
	serve(chan, msg, zygote_routes, ARRAY_COUNT(zygote_routes), zygote_start_message);
}
