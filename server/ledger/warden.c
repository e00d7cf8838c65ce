/* The warden: its runtimes, its pool, its jobs. See peers.h and flow.h. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/ledger/flow.h"
#include "server/ledger/ledger.h"

struct runtime *warden_runtime_find(struct warden *warden, const char *name)
{
	for (size_t i = 0; i < warden->runtime_count; i++)
		if (strcmp(warden->runtimes[i].told.name, name) == 0)
			return &warden->runtimes[i];
	return NULL;
}

bool warden_runtime_may_come(const struct warden *warden, const struct runtime *runtime)
{
	if (!warden->peer.is_up)
		return true;
	if (clock_mono_us() - warden->up_us > RUNTIME_FORGET_MS * 1000ull)
		return false;
	/* The first to come up says that those of before are still to be expected. */
	for (size_t i = 0; runtime == NULL && i < warden->runtime_count; i++)
		if (warden->runtimes[i].is_announced)
			return false;
	return true;
}

/* Busy ones count, and once the pool has made one, those being made: under load the pool is
 * empty for moments at a time, and a readiness that flaps takes a replica out of its service.
 */
static bool pool_can_serve(const struct warden_pool *pool)
{
	return pool->ready + pool->busy > 0 || (pool->workers_made > 0 && pool->starting > 0);
}

bool warden_has_worker(const struct warden *warden)
{
	for (size_t i = 0; i < warden->runtime_count; i++)
		if (warden->runtimes[i].is_announced &&
		    pool_can_serve(&warden->runtimes[i].pool))
			return true;
	return false;
}

void warden_start(struct execution *e)
{
	struct job_start start = {.queue_ms = e->ledger->config.ledger.queue_ms,
#define LIMIT(kind, name, low, high) .name = e->request.name,
				  LIMIT_FIELDS(LIMIT)
#undef LIMIT
	};

	memcpy(start.execution_id, e->answer.execution_id, sizeof(start.execution_id));
	memcpy(start.runtime, e->request.language, sizeof(start.runtime));
	peer_send(&e->ledger->warden.peer, JOB_START, e->number, job_start_encode, &start,
		  &e->payload_fd, 1);
}

void warden_cancel(struct execution *e)
{
	struct job_cancel cancel = {0};

	peer_send(&e->ledger->warden.peer, JOB_CANCEL, e->number, job_cancel_encode, &cancel,
		  NULL, 0);
}

static int serve_job_done(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;
	struct execution *e;
	struct job_done done;
	int status = job_done_decode(msg->body, msg->length, &done, err);

	/* Passed on unread, a bad one would end the validator and not its maker. */
	if (status == 0)
		status = memfd_check(msg->fds[0], LIMIT_OUTCOME_BYTES, err);
	if (status < 0)
		return status;
	e = execution_by_number(&warden->peer.ledger->executions, msg->id);
	if (e != NULL)
		flow_job_done(e, &done, msg_take_fd(msg, 0));
	return 0;
}

static int serve_job_refused(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;
	struct execution *e;
	struct job_refused refused;
	int status = job_refused_decode(msg->body, msg->length, &refused, err);

	if (status < 0)
		return status;
	e = execution_by_number(&warden->peer.ledger->executions, msg->id);
	if (e != NULL)
		flow_job_refused(e, &refused);
	return 0;
}

static int serve_runtime(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;
	struct runtime *runtime;
	struct warden_runtime told;
	int status = warden_runtime_decode(msg->body, msg->length, &told, err);

	if (status < 0)
		return status;
	runtime = warden_runtime_find(warden, told.name);
	if (runtime == NULL) {
		if (warden->runtime_count == RUNTIMES_MAX)
			return err_set(err, EPROTO, "more than %d runtimes", RUNTIMES_MAX);
		runtime = &warden->runtimes[warden->runtime_count++];
	}
	runtime->told = told;
	runtime->is_announced = true;
	log_event(LOG_INFO, "runtime", LOG_STR("name", told.name),
		  LOG_STR("version", told.version), LOG_STR("missing", told.missing));
	gate_tell_all(warden->peer.ledger);
	return 0;
}

static int serve_capabilities(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;
	int status =
		warden_capabilities_decode(msg->body, msg->length, &warden->capabilities, err);

	if (status < 0)
		return status;
	warden->has_capabilities = true;
	gate_tell_all(warden->peer.ledger);
	return 0;
}

static int serve_pool(void *owner, struct msg *msg, struct err *err)
{
	struct warden_pool pool;
	struct runtime *runtime;
	int status = warden_pool_decode(msg->body, msg->length, &pool, err);

	if (status < 0)
		return status;
	runtime = warden_runtime_find(owner, pool.runtime);
	/* A pool may be filled before its runtime is told of. */
	if (runtime != NULL)
		runtime->pool = pool;
	return 0;
}

static const struct route routes[] = {
	{JOB_DONE, 1, 1, 1, serve_job_done},
	{JOB_REFUSED, 1, 0, 0, serve_job_refused},
	{WARDEN_RUNTIME, 1, 0, 0, serve_runtime},
	{WARDEN_CAPABILITIES, 1, 0, 0, serve_capabilities},
	{WARDEN_POOL, 1, 0, 0, serve_pool},
};

static void serve(struct chan *chan, struct msg *msg)
{
	struct warden *warden = chan->owner;
	struct err err = {0};

	if (route_dispatch(routes, ARRAY_COUNT(routes), 1, warden, msg, &err) < 0)
		peer_refuse(&warden->peer, msg, &err);
}

static void lost(struct peer *peer)
{
	struct warden *warden = (struct warden *)(void *)peer;
	struct execution *next;

	for (size_t i = 0; i < warden->runtime_count; i++) {
		warden->runtimes[i].is_announced = false;
		warden->runtimes[i].pool = (struct warden_pool){0};
	}
	for (struct execution *e = peer->ledger->executions.first; e != NULL; e = next) {
		next = e->next;
		flow_event(e, FLOW_WARDEN_LOST);
	}
}

void warden_came(struct ledger *ledger)
{
	ledger->warden.up_us = clock_mono_us();
}

void warden_init(struct ledger *ledger)
{
	peer_init(&ledger->warden.peer, ledger, "warden", serve, lost);
}
