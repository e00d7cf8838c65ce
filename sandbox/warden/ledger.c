#include "sandbox/warden/ledger.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/warden/pool.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"

static void lose(struct warden *warden, const struct err *why)
{
	log_event(LOG_ERROR, "ledger_lost", LOG_STR("why", why->text));
	ledger_drop_jobs(warden);
}

static void send(struct warden *warden, uint16_t type, uint64_t id, const void *body,
		 size_t length, const int *fds, unsigned fd_count)
{
	struct err err = {0};

	if (warden->ledger.fd < 0)
		return;
	if (chan_send(&warden->ledger, type, id, body, length, fds, fd_count, &err) < 0)
		lose(warden, &err);
}

void ledger_job_done(struct warden *warden, uint64_t id, const struct job_done *done,
		     int outcome_fd)
{
	uint8_t body[sizeof(*done) + 16];
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	job_done_encode(&wr, done);
	send(warden, JOB_DONE, id, body, wr.length, &outcome_fd, 1);
}

void ledger_refuse(struct warden *warden, uint64_t id, uint8_t problem, uint32_t retry_after_s,
		   const char *detail)
{
	struct job_refused refused = {.problem = problem, .retry_after_s = retry_after_s};
	uint8_t body[sizeof(refused) + 16];
	struct wr wr;

	(void)snprintf(refused.detail, sizeof(refused.detail), "%s", detail);
	wr_init(&wr, body, sizeof(body));
	job_refused_encode(&wr, &refused);
	send(warden, JOB_REFUSED, id, body, wr.length, NULL, 0);
}

static void take_from_queue(struct warden *warden, struct job *job)
{
	loop_timer_stop(&warden->loop, &job->queue_timer);
	job_queue_remove(&warden->queue, job);
}

void ledger_drop_jobs(struct warden *warden)
{
	while (warden->queue.first != NULL) {
		struct job *job = warden->queue.first;

		take_from_queue(warden, job);
		job_free(job);
	}
	for (unsigned i = 0; i < warden->slot_count; i++) {
		struct slot *slot = &warden->slots[i];

		if (slot->job == NULL)
			continue;
		slot->job->is_orphan = true;
		run_stop(slot, STATUS_INTERNAL_ERROR, LIMIT_HIT_NONE);
	}
}

void ledger_refuse_queue(struct warden *warden)
{
	while (warden->queue.first != NULL) {
		struct job *job = warden->queue.first;

		take_from_queue(warden, job);
		ledger_refuse(warden, job->id, PROBLEM_DRAINING, 1, "The service is ending.");
		job_free(job);
	}
}

static void queue_time_is_over(struct loop *loop, struct timer *timer)
{
	struct job *job = timer->owner;
	struct warden *warden = job->warden;

	(void)loop;
	job_queue_remove(&warden->queue, job);
	ledger_refuse(warden, job->id, PROBLEM_QUEUE_TIMEOUT,
		      pool_retry_after_s(warden, job->runtime),
		      "No worker became free while the execution waited.");
	job_free(job);
	warden_pool_changed(warden);
}

static struct slot *find_running(struct warden *warden, uint64_t id)
{
	for (unsigned i = 0; i < warden->slot_count; i++) {
		const struct job *job = warden->slots[i].job;

		if (job != NULL && job->id == id && !job->is_orphan)
			return &warden->slots[i];
	}
	return NULL;
}

void ledger_refuse_job(struct job *take_job)
{
	ledger_refuse(take_job->warden, take_job->id, PROBLEM_INTERNAL, 0,
		      "The worker could not be given the limits of the execution.");
	job_free(take_job);
}

static void wait_for_worker(struct job *job)
{
	struct loop *loop = &job->warden->loop;

	job->queue_timer.fire = queue_time_is_over;
	loop_timer_start(loop, &job->queue_timer, job->start.queue_ms * UINT64_C(1000));
	warden_pool_changed(job->warden);
}

void ledger_try_again(struct job *take_job)
{
	if (take_job->warden->state != WARDEN_SERVING) {
		ledger_refuse(take_job->warden, take_job->id, PROBLEM_DRAINING, 1,
			      "The service is ending.");
		job_free(take_job);
		return;
	}
	take_job->tries++;
	job_queue_add_first(&take_job->warden->queue, take_job);
	wait_for_worker(take_job);
}

/* Runs it, lets it wait, or refuses it. */
static void place(struct warden *warden, struct job *job)
{
	int status = pool_run(warden, job);

	if (status < 0)
		ledger_refuse_job(job);
	if (status != 0)
		return;
	if (warden->queue.length >= warden->config.queue_max || job->start.queue_ms == 0) {
		ledger_refuse(warden, job->id, PROBLEM_QUEUE_FULL,
			      pool_retry_after_s(warden, job->runtime),
			      "All workers are busy and no more executions may wait.");
		job_free(job);
		return;
	}
	job_queue_add(&warden->queue, job);
	wait_for_worker(job);
}

static int serve_job_start(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;
	struct runtime *runtime;
	struct job_start start;
	struct err why = {0};
	struct job *job;
	int status = job_start_decode(msg->body, msg->length, &start, err);

	if (status < 0)
		return status;
	if (warden->state == WARDEN_DRAINING) {
		ledger_refuse(warden, msg->id, PROBLEM_DRAINING, 1, "The service is ending.");
		return 0;
	}
	runtime = warden_runtime(warden, start.runtime);
	if (runtime == NULL || runtime_is_missing(runtime)) {
		ledger_refuse(warden, msg->id, PROBLEM_UNKNOWN_RUNTIME, 0, start.runtime);
		return 0;
	}
	status = job_check(&start, &warden->config, &why);
	if (status == 0 && (find_running(warden, msg->id) != NULL ||
			    job_queue_find(&warden->queue, msg->id) != NULL))
		status = err_set(&why, EEXIST, "a job of this number is there already");
	if (status == 0)
		status = job_new(warden, msg->id, &start, msg_take_fd(msg, 0), &job, &why);
	if (status < 0) {
		log_event(LOG_ERROR, "bad_job", LOG_STR("execution", start.execution_id),
			  LOG_STR("why", why.text));
		ledger_refuse(warden, msg->id, PROBLEM_INTERNAL, 0, why.text);
		return 0;
	}
	job->runtime = runtime;
	place(warden, job);
	return 0;
}

/* A waiting job never ran, but it was accepted on record; so it gets an outcome like any other,
 * with nothing in it. */
static void cancel_waiting(struct warden *warden, struct job *job)
{
	struct job_done done = {.status = STATUS_CANCELLED, .exit_code = -1};
	struct err err = {0};
	own_fd outcome_fd = -1;

	done.queue_us = clock_mono_us() - job->accepted_us;
	done.cgroup_version = (uint8_t)warden->cgroups.version;
	take_from_queue(warden, job);
	if (memfd_from("outcome", "", 0, &outcome_fd, &err) == 0)
		ledger_job_done(warden, job->id, &done, outcome_fd);
	else
		ledger_refuse(warden, job->id, PROBLEM_INTERNAL, 0, err.text);
	job_free(job);
	warden_pool_changed(warden);
}

/* A job that is not there any more has crossed with its own JOB_DONE: nothing to do. */
static int serve_job_cancel(void *owner, struct msg *msg, struct err *err)
{
	struct warden *warden = owner;
	struct job_cancel cancel;
	struct slot *running;
	struct job *waiting;
	int status = job_cancel_decode(msg->body, msg->length, &cancel, err);

	if (status < 0)
		return status;
	waiting = job_queue_find(&warden->queue, msg->id);
	if (waiting != NULL)
		cancel_waiting(warden, waiting);
	running = find_running(warden, msg->id);
	if (running != NULL)
		run_stop(running, STATUS_CANCELLED, LIMIT_HIT_NONE);
	return 0;
}

#define ANY_STATE (WARDEN_STARTING | WARDEN_SERVING | WARDEN_DRAINING)

static const struct route routes[] = {
	{JOB_START, ANY_STATE, 1, 1, serve_job_start},
	{JOB_CANCEL, ANY_STATE, 0, 0, serve_job_cancel},
};

static void ledger_serve(struct chan *chan, struct msg *msg)
{
	struct warden *warden = chan->owner;
	struct err err = {0};

	if (route_dispatch(routes, ARRAY_COUNT(routes), warden->state, warden, msg, &err) == 0)
		return;
	chan_close(chan);
	lose(warden, &err);
}

static void ledger_chan_lost(struct chan *chan, const struct err *why)
{
	lose(chan->owner, why);
}

static void tell_runtime(struct warden *warden, const struct runtime *runtime)
{
	const struct setup_runtime *setup = &runtime->setup;
	struct warden_runtime tell = {
		.wall_ms = setup->wall_ms,
		.cpu_ms = setup->cpu_ms,
		.memory_bytes = setup->memory_bytes,
		.output_bytes = setup->output_bytes,
		.processes = setup->processes,
		.open_files = setup->open_files,
	};
	uint8_t body[sizeof(tell) + 16];
	struct wr wr;

	(void)snprintf(tell.name, sizeof(tell.name), "%s", setup->name);
	(void)snprintf(tell.version, sizeof(tell.version), "%s", runtime->zygote_says.version);
	(void)snprintf(tell.modules, sizeof(tell.modules), "%s", runtime->zygote_says.modules);
	(void)snprintf(tell.missing, sizeof(tell.missing), "%s", setup->missing);
	wr_init(&wr, body, sizeof(body));
	warden_runtime_encode(&wr, &tell);
	send(warden, WARDEN_RUNTIME, 0, body, wr.length, NULL, 0);
}

void ledger_tell_runtime(struct runtime *runtime)
{
	tell_runtime(runtime->warden, runtime);
}

static void tell_capabilities(struct warden *warden)
{
	struct warden_capabilities tell = {.layers = warden->worker_layers,
					   .landlock_abi = warden->landlock_abi,
					   .cgroup_version = (uint8_t)warden->cgroups.version};
	uint8_t body[sizeof(tell) + 16];
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	warden_capabilities_encode(&wr, &tell);
	send(warden, WARDEN_CAPABILITIES, 0, body, wr.length, NULL, 0);
}

void ledger_tell_capabilities(struct warden *warden, uint32_t layers, uint32_t landlock_abi)
{
	if (layers == warden->worker_layers && landlock_abi == warden->landlock_abi)
		return;
	warden->worker_layers = layers;
	warden->landlock_abi = landlock_abi;
	tell_capabilities(warden);
}

void ledger_tell_pools(struct warden *warden)
{
	for (unsigned i = 0; i < warden->runtime_count; i++) {
		const struct runtime *runtime = &warden->runtimes[i];
		struct warden_pool tell = {
			.ready = runtime->in_state[SLOT_READY],
			.busy = runtime->in_state[SLOT_BUSY],
			.starting = runtime_making(runtime),
			.workers_made = runtime->workers_made,
			.workers_failed = runtime->workers_failed,
		};
		uint8_t body[sizeof(tell) + 16];
		struct wr wr;

		for (const struct job *job = warden->queue.first; job != NULL; job = job->next)
			tell.queued += job->runtime == runtime;
		(void)snprintf(tell.runtime, sizeof(tell.runtime), "%s", runtime->setup.name);
		wr_init(&wr, body, sizeof(body));
		warden_pool_encode(&wr, &tell);
		send(warden, WARDEN_POOL, 0, body, wr.length, NULL, 0);
	}
}

int ledger_attach(struct warden *warden, int take_fd, struct err *err)
{
	int status;

	if (warden->ledger.fd >= 0) {
		chan_close(&warden->ledger);
		ledger_drop_jobs(warden);
	}
	warden->ledger.serve = ledger_serve;
	warden->ledger.lost = ledger_chan_lost;
	warden->ledger.owner = warden;
	status = chan_open(&warden->ledger, &warden->loop, take_fd, err);
	if (status < 0)
		return status;
	for (unsigned i = 0; i < warden->runtime_count; i++)
		if (warden->runtimes[i].zygote.is_ready ||
		    runtime_is_missing(&warden->runtimes[i]))
			tell_runtime(warden, &warden->runtimes[i]);
	if (warden->worker_layers != 0)
		tell_capabilities(warden);
	warden_pool_changed(warden);
	return 0;
}
