#include "sandbox/warden/run.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/layers/workspace.h"
#include "sandbox/warden/ageing.h"
#include "sandbox/warden/bare.h"
#include "sandbox/warden/boost.h"
#include "sandbox/warden/ending.h"
#include "sandbox/warden/output.h"
#include "sandbox/warden/warden.h"
#include "schema/bundle.h"

#define CPU_TIMER_MIN_US 1000 /* the loop's own resolution */

/* Soft and hard alike: the job cannot raise them again. Raising the hard limit above what the
 * zygote set is not possible for us either, and never needed: those are the ceilings. */
static int limit_one(const struct slot *slot, int resource, const char *name, uint64_t value,
		     struct err *err)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	if (prlimit(slot_job_pid(slot), (__rlimit_resource_t)resource, &limit, NULL) != 0)
		return err_errno(err, errno, "set the worker's limit of %s to %" PRIu64, name,
				 value);
	return 0;
}

unsigned run_processes_of_cell(const struct slot *slot)
{
	return (warden_has_cells(slot->warden) ? 1 : 0) + run_processes_of_worker(slot);
}

unsigned run_processes_of_worker(const struct slot *slot)
{
	if (!runtime_starts_ahead(slot->runtime))
		return 0;
	/* The worker, and of the program's threads all but the first. */
	return slot->program_tasks > 0 ? slot->program_tasks : 1;
}

bool run_limits_processes(const struct slot *slot)
{
	return warden_has_cells(slot->warden) || bare_user(slot) != 0;
}

bool run_counts_refusals(const struct slot *slot, uint64_t processes)
{
	return (slot->warden->cgroups.layers & LAYER_CGROUP_PIDS) != 0 &&
	       (processes <= RUN_PROCESSES_COUNTED || slot->group.pids_peak < 0);
}

static uint64_t address_space_before(const struct slot *slot)
{
	return slot->program_pid != 0 ? slot->program_bytes
				      : slot->runtime->zygote_says.address_space_bytes;
}

static int limit_process(const struct slot *slot, const struct job_start *start,
			 struct err *err)
{
	uint64_t spare = run_counts_refusals(slot, start->processes) ? RUN_PROCESSES_SPARE : 0;
	bool has_memory_group = (slot->warden->cgroups.layers & LAYER_CGROUP_MEMORY) != 0;
	/* The worker's own start has used some already, which RLIMIT_CPU counts too. */
	uint64_t cpu_us = start->cpu_ms * 1000 + slot->cpu_before_us;
	int status;

	if ((slot->warden->config.layers_disabled & LAYER_RLIMITS) != 0)
		return 0;
	status = limit_one(slot, RLIMIT_NOFILE, "open files", start->open_files, err);
	if (status == 0 && run_limits_processes(slot))
		status = limit_one(slot, RLIMIT_NPROC, "processes",
				   start->processes + run_processes_of_cell(slot) + spare, err);
	if (status == 0)
		status =
			limit_one(slot, RLIMIT_FSIZE, "file size", start->workspace_bytes, err);
	if (status == 0 && !has_memory_group)
		status = limit_one(slot, RLIMIT_AS, "address space",
				   address_space_before(slot) + start->memory_bytes, err);
	if (status == 0 && cpu_us / 1000000 + 1 < LIMIT_CPU_MS_MAX / 1000 + 1)
		status = limit_one(slot, RLIMIT_CPU, "CPU time", cpu_us / 1000000 + 1, err);
	return status;
}

/* Limits the worker as what the kernel asks for. Not to be oneself again is the end. */
static int limit_worker(struct slot *slot, const struct job_start *start, struct err *err)
{
	struct err worse = {0};
	int status;

	if (warden_has_cells(slot->warden))
		return limit_process(slot, start, err);
	status = bare_user_take(slot, err);
	if (status == 0)
		status = limit_process(slot, start, err);
	if (bare_user_give_back(slot, &worse) < 0)
		warden_die(slot->warden, &worse);
	return status;
}

static int apply_limits(struct slot *slot, const struct job_start *start, struct err *err)
{
	struct cgroup_limits limits =
		warden_limits(slot->warden, start->memory_bytes,
			      start->processes + run_processes_of_worker(slot));
	int status = limit_worker(slot, start, err);

	if (status == 0 && slot->warden->cgroups.version != 0)
		status = cgroup_group_limit(&slot->warden->cgroups, &slot->group, &limits, err);
	if (!warden_has_cells(slot->warden))
		slot->workspace_bytes = start->workspace_bytes; /* counted, see bare.c */
	else if (status == 0 && start->workspace_bytes != slot->workspace_bytes)
		status = workspace_resize(slot->workspace_fd, start->workspace_bytes,
					  LIMIT_WORKSPACE_INODES, err);
	return status;
}

/* A memfd with the bundle's standard input, positioned at its start; -1 when there is none. */
static int make_stdin(const struct job *job, int *ret_fd, struct err *err)
{
	struct bundle_reader reader;
	struct bundle_entry entry;
	int status;

	bundle_reader_init(&reader, &job->payload);
	while ((status = bundle_next(&reader, &entry, err)) > 0) {
		if (entry.kind != BUNDLE_STDIN)
			continue;
		status = memfd_from("stdin", entry.data, entry.length, ret_fd, err);
		if (status == 0 && lseek(*ret_fd, 0, SEEK_SET) != 0)
			status = err_errno(err, errno, "rewind stdin");
		break;
	}
	return status;
}

static int hand_over(struct slot *slot, struct job *job, struct err *err)
{
	struct worker_job order = {0};
	own_fd stdin_fd = -1;
	uint8_t body[8];
	struct wr wr;
	int status = make_stdin(job, &stdin_fd, err);

	if (status < 0)
		return status;
	stream_limit(&slot->out, job->start.output_bytes);
	stream_limit(&slot->errors, job->start.output_bytes);
	order.has_stdin = stdin_fd >= 0;
	wr_init(&wr, body, sizeof(body));
	worker_job_encode(&wr, &order);
	/* The channel is empty, so this cannot block. */
	return chan_send_blocking(slot->channel_fd, WORKER_JOB, 0, body, wr.length,
				  (int[]){job->payload_fd, stdin_fd}, stdin_fd >= 0 ? 2 : 1,
				  err);
}

uint64_t run_cpu_us(const struct slot *slot)
{
	/* The kernel's number of a process's CPU clock, see clock_getcpuclockid(3): that
	 * function asks whether the process exists, which we know. */
	clockid_t clock = (clockid_t)((~(unsigned)slot_job_pid(slot) << 3) | 2u);
	struct timespec used = {0};

	if (slot->group.cpu_time >= 0)
		return cgroup_group_cpu_us(&slot->group);
	if (slot->is_worker_gone || clock_gettime(clock, &used) != 0)
		return slot->worker_cpu_us;
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

static void cpu_timer_arm(struct slot *slot, uint64_t left_us)
{
	uint64_t soonest = left_us / slot->warden->cores;

	loop_timer_start(&slot->warden->loop, &slot->cpu_timer,
			 soonest > CPU_TIMER_MIN_US ? soonest : CPU_TIMER_MIN_US);
}

/* Until the run begins a compiler's time counts too. Who is not told of the beginning, because
 * there is no listener, grants both together. */
static uint64_t cpu_limit_us(const struct slot *slot)
{
	uint64_t compile_ms =
		slot->notify.own_starts > 0 ? slot->runtime->setup.compile_cpu_ms : 0;

	return (slot->job->start.cpu_ms + compile_ms) * 1000;
}

/* No earlier than if all cores worked for the job alone; then what is left is asked for again.
 * Each round leaves at most (cores - 1) / cores of the rest, so there are few rounds. */
static void cpu_timer_fired(struct loop *loop, struct timer *timer)
{
	struct slot *slot = timer->owner;
	uint64_t used = run_cpu_us(slot) - slot->cpu_before_us;
	uint64_t limit;

	(void)loop;
	if (slot->job == NULL)
		return;
	limit = cpu_limit_us(slot);
	if (used >= limit)
		run_stop(slot, STATUS_TIMED_OUT, LIMIT_HIT_CPU);
	else
		cpu_timer_arm(slot, limit - used);
}

static bool has_variables(const struct job *job)
{
	struct bundle_reader reader;
	struct bundle_entry entry;

	bundle_reader_init(&reader, &job->payload);
	while (bundle_next(&reader, &entry, NULL) > 0)
		if (entry.kind == BUNDLE_ENV)
			return true;
	return false;
}

/* Programs started on the job's way before any of its own bytes count: the runtime's one, or
 * env(1) and the shell again (sandbox/runtimes/launch/startup.c). */
static unsigned own_starts(const struct runtime *runtime, const struct job *job)
{
	if (runtime->setup.start == RUNTIME_SHELL && has_variables(job))
		return 2;
	return runtime->setup.start == RUNTIME_EXEC ? 1 : 0;
}

int run_job(struct slot *slot, struct job *job, struct err *err)
{
	struct warden *warden = slot->warden;
	int status;

	job->assigned_us = clock_mono_us();
	status = output_expect_silence(slot, err);
	if (status == 0)
		status = apply_limits(slot, &job->start, err);
	if (status == 0)
		status = hand_over(slot, job, err);
	if (status < 0) {
		/* The worker has not got the job, so it did not run and another may. */
		log_event(LOG_ERROR, "hand_over_failed", LOG_INT("slot", slot->index),
			  LOG_STR("execution", job->start.execution_id),
			  LOG_STR("why", err->text));
		ending_begin(slot);
		return status;
	}
	job->sent_us = clock_mono_us();
	warden->busy_us = job->sent_us;
	slot->job = job;
	slot->notify.own_starts = own_starts(slot->runtime, job);
	slot_enter(slot, SLOT_BUSY);
	ending_listen(slot);
	slot->cpu_timer.fire = cpu_timer_fired;
	loop_timer_start(&warden->loop, &slot->step_timer,
			 (job->start.wall_ms + slot->runtime->setup.compile_wall_ms) * 1000);
	cpu_timer_arm(slot, cpu_limit_us(slot));
	output_begin(slot);
	boost_begin(slot);
	ageing_begin(slot);
	if (!warden_has_cells(warden))
		bare_watch_space(slot);
	return 0;
}

void run_begins(struct slot *slot)
{
	struct job *job = slot->job;

	if (slot->runtime->setup.compile_wall_ms == 0 || job->verdict != STATUS_NONE)
		return;
	job->sent_us = clock_mono_us();
	slot->cpu_before_us = run_cpu_us(slot);
	loop_timer_start(&slot->warden->loop, &slot->step_timer, job->start.wall_ms * 1000);
	cpu_timer_arm(slot, cpu_limit_us(slot));
}

void run_stop(struct slot *slot, uint8_t verdict, uint8_t limit_hit)
{
	struct loop *loop = &slot->warden->loop;

	/* How it ended is known. */
	if (slot->is_gathering || slot->waits_to_gather)
		return;
	if (slot->job->verdict == STATUS_NONE) {
		slot->job->verdict = verdict;
		slot->job->limit_hit = limit_hit;
	}
	loop_timer_stop(loop, &slot->cpu_timer);
	if (slot->state != SLOT_BUSY || slot->is_worker_gone)
		return;
	loop_timer_start(loop, &slot->step_timer, RUN_KILL_WAIT_US);
	slot_kill(slot);
}

void run_wall_time_is_over(struct slot *slot)
{
	if (slot->job->verdict == STATUS_NONE && !slot->has_said_done) {
		run_stop(slot, STATUS_TIMED_OUT, LIMIT_HIT_WALL);
		return;
	}
	/* Killed, but not gone: a process stuck in the kernel. Try again, and let the operator
	 * see. */
	log_event(LOG_ERROR, "worker_does_not_die", LOG_INT("slot", slot->index),
		  LOG_INT("pid", slot->worker_pid),
		  LOG_STR("execution", slot->job->start.execution_id));
	loop_timer_start(&slot->warden->loop, &slot->step_timer, RUN_KILL_WAIT_US);
	slot_kill(slot);
}
