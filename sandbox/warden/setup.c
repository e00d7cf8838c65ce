#include "sandbox/warden/setup.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sandbox/warden/ending.h"
#include "sandbox/warden/enter.h"
#include "sandbox/warden/ledger.h"
#include "sandbox/warden/making.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"

static void send(struct warden *warden, uint16_t type, const struct wr *wr)
{
	struct err err = {0};

	if (chan_send(&warden->supervisor, type, 0, wr->data, wr->length, NULL, 0, &err) < 0)
		loop_stop(&warden->loop);
}

void setup_say_ready(struct warden *warden)
{
	struct setup_ready ready = {.landlock_abi = warden->landlock_abi};
	uint8_t body[LIMIT_DETAIL_BYTES + 16];
	struct wr wr;

	(void)snprintf(ready.detail, sizeof(ready.detail), "control groups version %u%s%s",
		       warden->cgroups.version,
		       warden->cgroups.missing[0] != '\0' ? ", without " : "",
		       warden->cgroups.missing);
	wr_init(&wr, body, sizeof(body));
	setup_ready_encode(&wr, &ready);
	send(warden, SETUP_READY, &wr);
}

void setup_say_failed(struct warden *warden, const char *why)
{
	struct setup_failed failed = {0};
	uint8_t body[LIMIT_DETAIL_BYTES + 16];
	struct wr wr;

	(void)snprintf(failed.detail, sizeof(failed.detail), "%s", why);
	wr_init(&wr, body, sizeof(body));
	setup_failed_encode(&wr, &failed);
	send(warden, SETUP_FAILED, &wr);
}

static int serve_hello(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;
	int status = setup_hello_decode(msg->body, msg->length, &warden->hello, err);

	if (status < 0)
		return status;
	if (strcmp(warden->hello.build_id, CASEMATE_VERSION) != 0)
		return err_set(err, EPROTO, "the supervisor is of version %s, the warden of %s",
			       warden->hello.build_id, CASEMATE_VERSION);
	log_init("warden", (enum log_level)warden->hello.log_level);
	warden->state = WARDEN_CONFIGURED;
	return 0;
}

static int serve_config(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;
	int status =
		setup_warden_config_decode(msg->body, msg->length, &warden->next_config, err);

	if (status < 0)
		return status;
	fd_drop(&warden->workspaces_parent_fd);
	warden->workspaces_parent_fd = msg_take_fd(msg, 0);
	warden->has_next_config = true;
	return 0;
}

static int serve_runtime(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;

	if (warden->next_runtime_count == RUNTIMES_MAX)
		return err_set(err, E2BIG, "more than %d runtimes", RUNTIMES_MAX);
	if (setup_runtime_decode(msg->body, msg->length,
				 &warden->next_runtimes[warden->next_runtime_count], err) < 0)
		return -EBADMSG;
	warden->next_runtime_count++;
	return 0;
}

static int serve_peer(void *owner, struct msg *msg, struct err *err)
{
	struct setup_peer peer;
	int status = setup_peer_decode(msg->body, msg->length, &peer, err);

	if (status < 0)
		return status;
	if (peer.role != SETUP_ROLE_LEDGER)
		return err_set(err, EPROTO, "role %u is no neighbour of the warden", peer.role);
	return ledger_attach(owner, msg_take_fd(msg, 0), err);
}

static int make_slots(struct warden *warden, struct err *err)
{
	warden->slot_count = warden->config.workers_max;
	warden->slots = calloc(warden->slot_count, sizeof(*warden->slots));
	if (warden->slots == NULL)
		return err_errno(err, ENOMEM, "%u slots", warden->slot_count);
	for (unsigned i = 0; i < warden->slot_count; i++) {
		slot_init(&warden->slots[i], warden, i);
		/* 0 is the warden's own uid in its namespace; without one its own is
		 * uid_first. */
		if (geteuid() == 0)
			warden->slots[i].uid =
				1 + i +
				(warden_has_cells(warden) ? 0 : warden->config.uid_first);
		warden_slot_timers(&warden->slots[i]);
	}
	return 0;
}

static int start(struct warden *warden, struct err *err)
{
	int status;

	if (!warden->has_next_config || warden->next_runtime_count == 0)
		return err_set(err, EPROTO, "COMMIT before the configuration was complete");
	warden->config = warden->next_config;
	for (unsigned i = 0; i < warden->next_runtime_count; i++)
		runtime_init(&warden->runtimes[i], warden, &warden->next_runtimes[i]);
	warden->runtime_count = warden->next_runtime_count;
	status = make_slots(warden, err);
	if (status == 0)
		status = enter_sandbox(warden, err);
	if (status < 0)
		return status;
	warden->state = WARDEN_STARTING;
	for (unsigned i = 0; i < warden->runtime_count && status == 0; i++)
		status = runtime_start(&warden->runtimes[i], err);
	return status;
}

/* What a running warden cannot change, by name. */
static const char *needs_restart(const struct warden *warden)
{
	const struct setup_warden_config *now = &warden->config;
	const struct setup_warden_config *next = &warden->next_config;

	if (strcmp(now->instance, next->instance) != 0 || now->uid_first != next->uid_first ||
	    now->uid_count != next->uid_count)
		return "the workers' uids";
	if (now->level != next->level)
		return "isolation.level";
	if (now->workers_max != next->workers_max)
		return "pool.workers_max";
	if (now->layers_disabled != next->layers_disabled)
		return "isolation.layers_disabled";
	/* The zygotes' workers were forked with these as their hard ceilings. */
	if (now->memory_bytes_max != next->memory_bytes_max ||
	    now->open_files_max != next->open_files_max ||
	    now->processes_max != next->processes_max)
		return "a higher ceiling of memory_bytes, open_files or processes";
	if (warden->next_runtime_count != warden->runtime_count)
		return "the list of runtimes";
	return NULL;
}

static const char *runtime_needs_restart(struct warden *warden,
					 const struct setup_runtime *next)
{
	const struct runtime *runtime = warden_runtime(warden, next->name);

	if (runtime == NULL)
		return "the list of runtimes";
	if (strcmp(runtime->setup.zygote, next->zygote) != 0 ||
	    strcmp(runtime->setup.preload, next->preload) != 0 ||
	    strcmp(runtime->setup.root_paths, next->root_paths) != 0 ||
	    runtime->setup.start != next->start || strcmp(runtime->setup.plan, next->plan) != 0)
		return "the preload, root or program of a runtime";
	/* What the warden itself has left out stays so. */
	if (!runtime_is_missing(runtime) && next->missing[0] != '\0')
		return "whether a runtime is installed";
	if (runtime_is_missing(runtime) && next->missing[0] == '\0' && next->is_named)
		return "whether a runtime is installed";
	return NULL;
}

static int reload(struct warden *warden, struct err *err)
{
	const char *why = NULL;

	if (!warden->has_next_config)
		warden->next_config = warden->config;
	why = needs_restart(warden);
	for (unsigned i = 0; i < warden->next_runtime_count && why == NULL; i++)
		why = runtime_needs_restart(warden, &warden->next_runtimes[i]);
	if (why != NULL)
		return err_set(err, EBUSY, "%s can be changed by a restart only", why);
	/* A layer that the next worker cannot have either; those that wait would still run. */
	if (warden->worker_layers != 0 &&
	    making_check_layers(warden->next_config.layers_required, warden->worker_layers,
				err) < 0)
		return -ENOTSUP;
	warden->config = warden->next_config;
	for (unsigned i = 0; i < warden->next_runtime_count; i++) {
		struct runtime *runtime = warden_runtime(warden, warden->next_runtimes[i].name);

		if (!runtime_is_missing(runtime))
			runtime->setup = warden->next_runtimes[i];
	}
	warden_pool_changed(warden);
	return 0;
}

static int serve_commit(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;
	struct setup_commit commit;
	struct err why = {0};
	int status = setup_commit_decode(msg->body, msg->length, &commit, err);

	if (status < 0)
		return status;
	if (warden->state == WARDEN_CONFIGURED) {
		if (start(warden, &why) < 0)
			warden_die(warden, &why);
	} else if (reload(warden, &why) < 0) {
		log_event(LOG_ERROR, "reload_refused", LOG_STR("why", why.text));
		setup_say_failed(warden, why.text);
	} else if (warden->state != WARDEN_STARTING) {
		setup_say_ready(warden);
	}
	warden->next_runtime_count = 0;
	warden->has_next_config = false;
	return 0;
}

static void drain_time_is_over(struct loop *loop, struct timer *timer)
{
	struct warden *warden = timer->owner;

	(void)loop;
	for (unsigned i = 0; i < warden->slot_count; i++)
		if (warden->slots[i].job != NULL)
			run_stop(&warden->slots[i], STATUS_CANCELLED, LIMIT_HIT_NONE);
}

static int serve_drain(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;
	struct setup_drain drain;
	int status = setup_drain_decode(msg->body, msg->length, &drain, err);

	if (status < 0)
		return status;
	log_event(LOG_INFO, "draining", LOG_INT("deadline_ms", drain.deadline_ms));
	warden->state = WARDEN_DRAINING;
	ledger_refuse_queue(warden);
	for (unsigned i = 0; i < warden->slot_count; i++)
		if (warden->slots[i].state != SLOT_EMPTY && warden->slots[i].job == NULL)
			ending_begin(&warden->slots[i]);
	warden->drain_timer.fire = drain_time_is_over;
	warden->drain_timer.owner = warden;
	loop_timer_start(&warden->loop, &warden->drain_timer,
			 drain.deadline_ms * UINT64_C(1000));
	setup_check_drained(warden);
	return 0;
}

void setup_check_drained(struct warden *warden)
{
	struct setup_drained drained = {0};
	uint8_t body[8];
	struct wr wr;

	if (warden->state != WARDEN_DRAINING)
		return;
	for (unsigned i = 0; i < warden->slot_count; i++)
		if (warden->slots[i].state != SLOT_EMPTY)
			return;
	wr_init(&wr, body, sizeof(body));
	setup_drained_encode(&wr, &drained);
	send(warden, SETUP_DRAINED, &wr);
	log_write(LOG_INFO, "drained", NULL, 0);
	loop_stop(&warden->loop);
}

#define BEFORE_START WARDEN_CONFIGURED
#define AFTER_START  (WARDEN_STARTING | WARDEN_SERVING)

static const struct route routes[] = {
	{SETUP_HELLO, WARDEN_NEW, 0, 0, serve_hello},
	{SETUP_WARDEN_CONFIG, BEFORE_START | AFTER_START, 0, 1, serve_config},
	{SETUP_RUNTIME, BEFORE_START | AFTER_START, 0, 1, serve_runtime},
	{SETUP_PEER, BEFORE_START | AFTER_START | WARDEN_DRAINING, 1, 1, serve_peer},
	{SETUP_COMMIT, BEFORE_START | AFTER_START, 0, 0, serve_commit},
	{SETUP_DRAIN, BEFORE_START | AFTER_START, 0, 0, serve_drain},
};

static void supervisor_serve(struct chan *chan, struct msg *msg)
{
	struct warden *warden = chan->owner;
	struct err err = {0};

	if (route_dispatch(routes, ARRAY_COUNT(routes), warden->state, warden, msg, &err) < 0)
		warden_die(warden, &err);
}

/* The supervisor is gone: nothing may go on. */
static void supervisor_lost(struct chan *chan, const struct err *why)
{
	struct warden *warden = chan->owner;

	log_event(LOG_WARN, "supervisor_lost", LOG_STR("why", why->text));
	loop_stop(&warden->loop);
}

int setup_attach(struct warden *warden, struct err *err)
{
	warden->supervisor.serve = supervisor_serve;
	warden->supervisor.lost = supervisor_lost;
	warden->supervisor.owner = warden;
	return chan_open(&warden->supervisor, &warden->loop, SETUP_FD, err);
}
