/*
 * sandbox/warden/runtime.c - keeps a runtime's two programs alive.
 *
 * Either may die alone: cells and workers that exist are not their children's business any more
 * (a worker is the warden's child, a cell hangs on the slot's lifeline), so only what was being
 * made at that moment is lost.
 */
#include "sandbox/warden/runtime.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "sandbox/warden/ending.h"
#include "sandbox/warden/ledger.h"
#include "sandbox/warden/making.h"
#include "sandbox/warden/pool.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"

/* Mounting a root takes milliseconds, importing pandas under load seconds. */
#define MAKER_START_US	10000000u
#define ZYGOTE_START_US 60000000u

static void child_is_late(struct loop *loop, struct timer *timer)
{
	struct err err = {0};

	(void)loop;
	err_ignore(err_set(&err, ETIMEDOUT, "no answer to its set-up"), "the text is wanted");
	child_fail(timer->owner, &err);
}

static int send_message(struct child *child, uint16_t type, const void *body, size_t length,
			int fd)
{
	struct err err = {0};
	int status = chan_send(&child->chan, type, 0, body, length, &fd, 1, &err);

	if (status < 0)
		child_fail(child, &err);
	return status;
}

static int maker_start(struct runtime *runtime, struct err *err)
{
	struct warden *warden = runtime->warden;
	struct cell_setup setup = {.layers_disabled = warden->config.layers_disabled};
	uint8_t body[sizeof(setup) + 16];
	struct wr wr;
	int status = child_start(&runtime->maker, &warden->loop, err);

	if (status < 0)
		return status;
	(void)snprintf(setup.root_paths, sizeof(setup.root_paths), "%s",
		       runtime->setup.root_paths);
	wr_init(&wr, body, sizeof(body));
	cell_setup_encode(&wr, &setup);
	loop_timer_start(&warden->loop, &runtime->maker.deadline, MAKER_START_US);
	err_ignore(send_message(&runtime->maker, CELL_SETUP, body, wr.length,
				warden->init_filter_fd),
		   "a failure has been handled");
	return 0;
}

static int zygote_start(struct runtime *runtime, struct err *err)
{
	struct warden *warden = runtime->warden;
	/* Not on the stack: with the plan it is large. */
	static struct zygote_setup setup;
	static uint8_t body[sizeof(setup) + 16];
	struct wr wr;
	int status;

	runtime->zygote.join_mount_fd = warden_has_cells(warden) ? runtime->maker.pidfd : -1;
	status = child_start(&runtime->zygote, &warden->loop, err);
	if (status < 0)
		return status;
	setup = (struct zygote_setup){.landlock_abi_min = warden->hello.landlock_abi_min,
				      .tells_denials = warden->tells_denials,
				      .layers_disabled = warden->config.layers_disabled,
				      .level = warden->config.level};
	(void)snprintf(setup.preload, sizeof(setup.preload), "%s", runtime->setup.preload);
	(void)snprintf(setup.plan, sizeof(setup.plan), "%s", runtime->setup.plan);
	(void)snprintf(setup.root_paths, sizeof(setup.root_paths), "%s",
		       runtime->setup.root_paths);
	wr_init(&wr, body, sizeof(body));
	zygote_setup_encode(&wr, &setup);
	loop_timer_start(&warden->loop, &runtime->zygote.deadline, ZYGOTE_START_US);
	err_ignore(send_message(&runtime->zygote, ZYGOTE_SETUP, body, wr.length,
				runtime->filter_fd),
		   "a failure has been handled");
	return 0;
}

/* Without cells the host's own root, which Landlock cuts, is always there. */
static bool is_root_there(const struct runtime *runtime)
{
	return runtime->maker.is_ready || !warden_has_cells(runtime->warden);
}

static void restart_fired(struct loop *loop, struct timer *timer)
{
	struct child *child = timer->owner;
	struct runtime *runtime = child->owner;
	struct err err = {0};
	int status;

	(void)loop;
	if (child == &runtime->zygote) {
		/* Without a cell maker there is no root to be born in; its CELL_READY comes
		 * back here. */
		if (!is_root_there(runtime))
			return;
		status = zygote_start(runtime, &err);
	} else {
		status = maker_start(runtime, &err);
	}
	if (status < 0) {
		child->failures++;
		child->lost(child, &err);
	}
}

/* The cells of a dead cell maker die with it: jobs in them end as our fault. */
static void end_cells(struct runtime *runtime)
{
	struct warden *warden = runtime->warden;

	for (unsigned i = 0; i < warden->slot_count; i++) {
		struct slot *slot = &warden->slots[i];

		if (slot->runtime != runtime)
			continue;
		if (slot->job != NULL)
			run_stop(slot, STATUS_INTERNAL_ERROR, LIMIT_HIT_NONE);
		else if (slot->state != SLOT_ENDING)
			ending_begin(slot);
	}
}

/* Slots that waited for an answer of the lost zygote; it may have forked before it died. */
static void end_forking(struct runtime *runtime)
{
	struct warden *warden = runtime->warden;

	for (unsigned i = 0; i < warden->slot_count; i++)
		if (warden->slots[i].runtime == runtime &&
		    warden->slots[i].state == SLOT_FORKING)
			ending_begin(&warden->slots[i]);
	ending_reap_strangers(warden);
}

static void child_lost(struct child *child, const struct err *why)
{
	struct runtime *runtime = child->owner;
	struct warden *warden = runtime->warden;
	uint64_t wait_us = backoff_us(child->failures);
	struct err err = *why;

	log_event(LOG_ERROR, "program_lost", LOG_STR("program", child->name),
		  LOG_STR("runtime", runtime->setup.name), LOG_STR("why", why->text),
		  LOG_INT("failures", child->failures),
		  LOG_INT("restart_ms", (int64_t)(wait_us / 1000)));
	err_ignore(err_prefix(&err, "%s of runtime %s", child->name, runtime->setup.name),
		   "the text is wanted");
	/* At the start nothing is served yet: say what is wrong instead of trying for ever. */
	if (warden->state == WARDEN_STARTING)
		warden_die(warden, &err);
	if (child == &runtime->maker)
		end_cells(runtime);
	else
		end_forking(runtime);
	loop_timer_start(&warden->loop, &child->restart, wait_us);
	warden_pool_changed(warden);
}

static void child_set_up(struct child *child, struct runtime *runtime, const char *name,
			 void (*serve)(struct chan *, struct msg *))
{
	child_init(child, name, runtime);
	child->chan.serve = serve;
	child->deny_filter_fd = &runtime->warden->below_filter_fd;
	child->restart.fire = restart_fired;
	child->deadline.fire = child_is_late;
	child->lost = child_lost;
}

static void retry_fired(struct loop *loop, struct timer *timer)
{
	struct runtime *runtime = timer->owner;

	(void)loop;
	pool_tend(runtime->warden);
}

void runtime_init(struct runtime *runtime, struct warden *warden,
		  const struct setup_runtime *setup)
{
	*runtime = (struct runtime){.warden = warden, .setup = *setup, .filter_fd = -1};
	runtime->retry.owner = runtime;
	runtime->retry.fire = retry_fired;
	child_set_up(&runtime->maker, runtime, "casemate-cell", making_serve_maker);
	child_set_up(&runtime->zygote, runtime, runtime->setup.zygote, making_serve_zygote);
}

/* The programs lie in the folder of the warden's own binary. */
static int open_binary(const char *name, int *ret_fd, struct err *err)
{
	char path[PATH_MAX + 256];
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;
	int fd;

	if (length < 0)
		return err_errno(err, errno, "read /proc/self/exe");
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL || strchr(name, '/') != NULL)
		return err_set(err, EINVAL, "program \"%s\" is not the name of a file", name);
	(void)snprintf(slash + 1, sizeof(path) - (size_t)(slash + 1 - path), "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open %s", path);
	*ret_fd = fd;
	return 0;
}

static int compile_list(struct runtime *runtime, uint32_t covers, struct err *err)
{
	enum seccomp_list list;
	int status = seccomp_list_find(runtime->setup.seccomp, &list, err);

	if (status < 0)
		return status;
	seccomp_rules_covered(list, covers, &runtime->rules);
	return seccomp_program_compile_covered(
		list, covers, runtime->warden->tells_denials ? SECCOMP_TELL : SECCOMP_QUIET,
		&runtime->filter_fd, err);
}

/* Where a job may have no processes no program can be started for one. */
static int check_start(struct runtime *runtime, uint32_t covers, struct err *err)
{
	static const char why[] =
		"it starts programs, and without a control group of processes level landlock "
		"allows a job none; delegate one, or use level full";

	if (runtime->setup.start == RUNTIME_FORK || (covers & SECCOMP_COVER(NO_PROCESSES)) == 0)
		return 0;
	if (runtime->setup.is_named)
		return err_set(err, ENOTSUP, "%s", why);
	log_event(LOG_WARN, "runtime_left_out", LOG_STR("runtime", runtime->setup.name),
		  LOG_STR("why", why));
	(void)snprintf(runtime->setup.missing, sizeof(runtime->setup.missing), "%s", why);
	return 0;
}

bool runtime_is_missing(const struct runtime *runtime)
{
	return runtime->setup.missing[0] != '\0';
}

int runtime_open(struct runtime *runtime, uint32_t covers, struct err *err)
{
	int status = check_start(runtime, covers, err);

	if (runtime_is_missing(runtime))
		return 0;
	if (status == 0 && warden_has_cells(runtime->warden))
		status = open_binary("casemate-cell", &runtime->maker.binary_fd, err);
	if (status == 0)
		status = open_binary(runtime->setup.zygote, &runtime->zygote.binary_fd, err);
	if (status == 0)
		status = compile_list(runtime, covers, err);
	return status < 0 ? err_prefix(err, "runtime %s", runtime->setup.name) : 0;
}

int runtime_start(struct runtime *runtime, struct err *err)
{
	if (runtime_is_missing(runtime)) {
		ledger_tell_runtime(runtime);
		return 0;
	}
	return warden_has_cells(runtime->warden) ? maker_start(runtime, err)
						 : zygote_start(runtime, err);
}

void runtime_stop(struct runtime *runtime)
{
	loop_timer_stop(&runtime->warden->loop, &runtime->retry);
	loop_timer_stop(&runtime->warden->loop, &runtime->maker.restart);
	loop_timer_stop(&runtime->warden->loop, &runtime->zygote.restart);
	child_stop(&runtime->zygote);
	child_stop(&runtime->maker);
}

bool runtime_starts_ahead(const struct runtime *runtime)
{
	return runtime->setup.start == RUNTIME_AHEAD || runtime->setup.start == RUNTIME_SHELL;
}

bool runtime_can_make(const struct runtime *runtime)
{
	return is_root_there(runtime) && runtime->zygote.is_ready && !runtime->retry.is_armed;
}

unsigned runtime_making(const struct runtime *runtime)
{
	return runtime->in_state[SLOT_CELL_MAKING] + runtime->in_state[SLOT_FORKING] +
	       runtime->in_state[SLOT_LOCKING];
}
