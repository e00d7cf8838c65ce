/*
 * sandbox/warden/ending.c - order at the end of a job, and why:
 *
 *   1. The worker is reaped. Its grandchildren may live on and hold the pipes.
 *   2. If the pids group says that nothing is left, nothing is; else pid 1 of the cell is
 * killed and the kernel kills the rest and tells by pid 1's own end. Before that nothing is
 * read.
 *   3. Pipes, report, counters, files: no process can change them any more.
 *   4. JOB_DONE. What cannot change the answer comes after it: the end of the cell, its groups.
 */
#include "sandbox/warden/ending.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/warden/collect.h"
#include "sandbox/warden/ledger.h"
#include "sandbox/warden/making.h"
#include "sandbox/warden/outcome.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"
#include "schema/bundle.h"

/* The outcome must fit its limit whatever the job printed: room for all entries' headers and
 * names (the paths of LIMIT_FILES files) and the report. */
#define OUTCOME_OVERHEAD_BYTES                                                         \
	((LIMIT_FILES + 4) *                                                           \
		 (BUNDLE_HEADER_BYTES + BUNDLE_FILE_HEADER_BYTES + LIMIT_PATH_BYTES) + \
	 LIMIT_REPORT_BYTES)

#define JOB_TRIES_MAX	  3 /* workers that may die under a job before it is the job's fault */
#define TICKS_TO_COMPLAIN 100 /* of SLOT_ENDING's 100 ms */

static void add_report(struct slot *slot, struct buf *outcome, bool *ret_is_memory_error)
{
	static struct msg msg;
	char first;

	*ret_is_memory_error = false;
	/* Nobody can send any more; a message is there or it is not. */
	if (recv(slot->channel_fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		return;
	if (chan_receive_blocking(slot->channel_fd, &msg, NULL) < 0)
		return;
	if (msg.type == WORKER_REPORT && msg.length > 1 &&
	    msg.length <= 1 + (size_t)LIMIT_REPORT_BYTES) {
		*ret_is_memory_error = (msg.body[0] & WORKER_REPORT_MEMORY) != 0;
		bundle_add(outcome, BUNDLE_REPORT, NULL, 0, msg.body + 1, msg.length - 1);
	}
	msg_done(&msg);
}

static void add_stream(struct stream *stream, struct loop *loop, enum bundle_kind kind,
		       struct buf *outcome)
{
	stream_drain(stream, loop);
	if (stream->bytes.length > 0)
		bundle_add(outcome, kind, NULL, 0, stream->bytes.data, stream->bytes.length);
}

static void fill_usage(struct slot *slot, struct job_done *done)
{
	const struct job *job = slot->job;
	uint64_t cpu_us = run_cpu_us(slot);

	done->wall_us = job->ended_us - job->sent_us;
	done->cpu_us = cpu_us > slot->cpu_before_us ? cpu_us - slot->cpu_before_us : 0;
	done->memory_peak_bytes = slot->group.memory_peak >= 0
					  ? cgroup_group_memory_peak(&slot->group)
					  : slot->worker_peak_bytes;
	done->processes_peak = cgroup_group_pids_peak(&slot->group);
	done->queue_us = job->assigned_us - job->accepted_us;
	done->start_us = job->sent_us - job->assigned_us;
	done->run_us = done->wall_us;
	done->layers = slot->layers;
	done->landlock_abi = slot->landlock_abi;
	done->cgroup_version = (uint8_t)slot->warden->cgroups.version;
}

static void judge(const struct slot *slot, bool is_memory_error, struct job_done *done)
{
	struct ending ending = {
		.exit_how = slot->exit_how,
		.exit_value = slot->exit_value,
		.verdict = slot->job->verdict,
		.limit_hit = slot->job->limit_hit,
		.is_memory_error = is_memory_error,
		.cpu_us = done->cpu_us,
		.cpu_limit_us = slot->job->start.cpu_ms * 1000,
	};

	/* A clean end needs no look at the kernel's list of killed processes. */
	if (ending.verdict == STATUS_NONE &&
	    (ending.exit_how != CLD_EXITED || ending.exit_value))
		ending.oom_kills = cgroup_group_oom_kills(&slot->group);
	/* Killed by nobody we know: by itself, or with its cell because the maker died, which
	 * the loop may not have come to yet. */
	if (ending.verdict == STATUS_NONE && ending.exit_how != CLD_EXITED &&
	    ending.exit_value == SIGKILL && !child_is_alive(&slot->runtime->maker))
		ending.verdict = STATUS_INTERNAL_ERROR;
	outcome_judge(&ending, done);
}

static int build(struct slot *slot, struct buf *outcome, struct job_done *done, struct err *err)
{
	struct loop *loop = &slot->warden->loop;
	bool is_memory_error;
	bool is_truncated = false;
	uint64_t budget;
	int status;

	add_stream(&slot->out, loop, BUNDLE_STDOUT, outcome);
	add_stream(&slot->errors, loop, BUNDLE_STDERR, outcome);
	add_report(slot, outcome, &is_memory_error);
	done->stdout_truncated = slot->out.is_over;
	done->stderr_truncated = slot->errors.is_over;
	fill_usage(slot, done);
	judge(slot, is_memory_error, done);
	budget = LIMIT_OUTCOME_BYTES - OUTCOME_OVERHEAD_BYTES - outcome->length;
	if (budget > LIMIT_FILES_READ_BYTES)
		budget = LIMIT_FILES_READ_BYTES;
	status = collect_files(slot->workspace_fd, &slot->job->payload, budget, outcome,
			       &is_truncated, err);
	done->files_truncated = is_truncated;
	return status < 0 ? status : buf_check(outcome, err);
}

static void job_finish(struct slot *slot)
{
	struct job *job = slot->job;
	struct runtime *runtime = slot->runtime;
	struct job_done done = {0};
	struct err err = {0};
	own_fd outcome_fd = -1;
	own_buf outcome;
	int status;

	buf_init(&outcome, LIMIT_OUTCOME_BYTES);
	status = build(slot, &outcome, &done, &err);
	if (status == 0)
		status = memfd_from("outcome", outcome.data, outcome.length, &outcome_fd, &err);
	if (status < 0) {
		log_event(LOG_ERROR, "outcome_lost",
			  LOG_STR("execution", job->start.execution_id),
			  LOG_STR("why", err.text));
		done.status = STATUS_INTERNAL_ERROR;
		done.limit_hit = LIMIT_HIT_NONE;
		err_ignore(
			memfd_from("outcome", "", 0, &outcome_fd, NULL),
			"without a descriptor the ledger is told nothing and its peer is lost");
	}
	runtime->run_us_average += done.wall_us / 8;
	runtime->run_us_average -= runtime->run_us_average / 8;
	slot->job = NULL;
	done.collect_us = clock_mono_us() - job->ended_us;
	ledger_job_done(slot->warden, job->id, &done, outcome_fd);
	job_free(job);
}

/* True when no process of the job can be alive. */
static bool is_all_dead(const struct slot *slot)
{
	return slot->is_worker_gone &&
	       (slot->is_cell_gone || cgroup_group_is_empty(&slot->group));
}

static void slot_empty(struct slot *slot)
{
	slot_clear(slot);
	slot_enter(slot, SLOT_EMPTY);
	warden_progress(slot->warden);
}

static bool is_gone(const struct slot *slot)
{
	return (slot->is_worker_gone || slot->worker_pidfd < 0) &&
	       (slot->is_cell_gone || slot->init_pidfd < 0);
}

void ending_begin(struct slot *slot)
{
	if (slot->state != SLOT_ENDING) {
		slot->ending_ticks = 0;
		slot_enter(slot, SLOT_ENDING);
	}
	loop_timer_stop(&slot->warden->loop, &slot->cpu_timer);
	slot_kill(slot);
	/* Not at once: the caller may still hold the slot in its hands. */
	if (is_gone(slot))
		loop_timer_start(&slot->warden->loop, &slot->step_timer, 0);
}

void ending_tick(struct slot *slot)
{
	if (is_gone(slot)) {
		slot_empty(slot);
		return;
	}
	/* A worker that its zygote never named keeps the cell's init from dying until it is
	 * reaped. */
	ending_reap_strangers(slot->warden);
	slot_kill(slot);
	if (++slot->ending_ticks == TICKS_TO_COMPLAIN)
		log_event(LOG_ERROR, "cell_does_not_end", LOG_INT("slot", slot->index),
			  LOG_INT("pid", slot->worker_pid));
	loop_timer_start(&slot->warden->loop, &slot->step_timer, 100000);
}

/*
 * True when the worker died before it took its job out of the channel: the kernel tells the one
 * end that the other was closed with something unread. Only we write there, and the job is all
 * we wrote, so its code did not run and another worker may have it.
 */
static bool is_unread(const struct slot *slot)
{
	char first;

	return slot->job->verdict == STATUS_NONE &&
	       recv(slot->channel_fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       errno == ECONNRESET;
}

static void job_ended(struct slot *slot)
{
	struct job *job = slot->job;

	if (job->is_orphan) {
		job_free(job);
	} else if (is_unread(slot) && job->tries < JOB_TRIES_MAX) {
		log_event(LOG_WARN, "worker_lost_before_its_job", LOG_INT("slot", slot->index),
			  LOG_STR("execution", job->start.execution_id));
		slot->job = NULL;
		ledger_try_again(job);
	} else {
		job_finish(slot);
	}
	slot->job = NULL;
}

static void something_ended(struct slot *slot)
{
	struct err err = {0};

	switch (slot->state) {
	case SLOT_BUSY:
		if (!is_all_dead(slot)) {
			slot_kill(slot);
			break;
		}
		job_ended(slot);
		ending_begin(slot);
		break;
	case SLOT_ENDING:
		if (is_gone(slot))
			slot_empty(slot);
		break;
	default:
		err_ignore(err_set(&err, ECHILD, "%s ended (%s %d)",
				   slot->is_worker_gone ? "the worker" : "the cell",
				   slot->exit_how == CLD_EXITED ? "exit code" : "signal",
				   slot->exit_value),
			   "the text is wanted");
		making_failed(slot, &err);
	}
}

void ending_worker_exited(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct slot *slot = watch->owner;
	struct rusage usage = {0};
	siginfo_t info = {0};

	(void)events;
	if (slot->job != NULL)
		slot->job->ended_us = clock_mono_us();
	/* The system call and not waitid(3), which has no room for the usage. */
	(void)syscall(SYS_waitid, P_PIDFD, slot->worker_pidfd, &info,
		      WEXITED | WNOHANG | __WALL, &usage);
	slot->exit_how = info.si_code;
	slot->exit_value = info.si_status;
	slot->worker_cpu_us =
		(uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
		(uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	slot->worker_peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
	slot->is_worker_gone = true;
	slot->worker_pid = 0;
	loop_unwatch(loop, watch);
	something_ended(slot);
}

void ending_init_exited(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct slot *slot = watch->owner;

	(void)events;
	slot->is_cell_gone = true;
	loop_unwatch(loop, watch);
	/* A job cannot end its pid 1, so we did, or a fault outside of the job. */
	if (slot->job != NULL && slot->job->verdict == STATUS_NONE && !slot->is_worker_gone)
		slot->job->verdict = STATUS_INTERNAL_ERROR;
	/* Never named or already gone: nothing keeps the slot. Else the worker, killed with its
	 * pid namespace, is the next to be heard of. */
	if (slot->state != SLOT_BUSY || slot->is_worker_gone)
		something_ended(slot);
}

static bool is_known(const struct warden *warden, pid_t pid)
{
	for (unsigned i = 0; i < warden->slot_count; i++)
		if (warden->slots[i].worker_pid == pid)
			return true;
	for (unsigned i = 0; i < warden->runtime_count; i++)
		if (warden->runtimes[i].maker.pid == pid ||
		    warden->runtimes[i].zygote.pid == pid)
			return true;
	return false;
}

void ending_reap_strangers(struct warden *warden)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 ||
		    info.si_pid == 0 || is_known(warden, info.si_pid))
			return;
		(void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG | __WALL);
	}
}
