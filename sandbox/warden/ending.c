/*
 * sandbox/warden/ending.c - order at the end of a job, and why:
 *
 *   1. The worker says that it is done, or it is reaped. Its grandchildren may live on and hold
 *      the pipes.
 *   2. Pid 1 of the cell and the worker are killed; the kernel kills the rest with them.
 *      With an empty workspace the answer needs no more: what a process writes in its last
 *      microsecond comes too late. Files are read only when all of them are dead: pid 1's own
 *      end tells, or before it an empty pids group.
 *   3. Pipes, counters, files.
 *   4. JOB_DONE. What cannot change the answer comes after it: the end of the cell, its groups.
 */
#include "sandbox/warden/ending.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/warden/bare.h"
#include "sandbox/warden/collect.h"
#include "sandbox/warden/gather.h"
#include "sandbox/warden/ledger.h"
#include "sandbox/warden/making.h"
#include "sandbox/warden/outcome.h"
#include "sandbox/warden/pool.h"
#include "sandbox/warden/proc_text.h"
#include "sandbox/warden/run.h"
#include "sandbox/warden/warden.h"
#include "schema/bundle.h"

/* The outcome must fit its limit whatever the job printed: room for all entries' headers and
 * names (the paths of LIMIT_FILES files) and the report. */
#define OUTCOME_OVERHEAD_BYTES                                                         \
	((LIMIT_FILES + 4) *                                                           \
		 (BUNDLE_HEADER_BYTES + BUNDLE_FILE_HEADER_BYTES + LIMIT_PATH_BYTES) + \
	 (LIMIT_EVENTS + EVENT_KINDS) * (BUNDLE_HEADER_BYTES + sizeof(struct event)) + \
	 LIMIT_REPORT_BYTES)

#define JOB_TRIES_MAX	  3 /* workers that may die under a job before it is the job's fault */
#define TICKS_TO_COMPLAIN 100 /* of SLOT_ENDING's 100 ms */

/*
 * Takes the one report out of the channel, if it is there and is one. Also learns here whether
 * the worker died before it took its job: the kernel tells the one end, once, that the other
 * was closed with something unread. Only we write there, and the job is all we wrote.
 */
static void take_report(struct slot *slot)
{
	static struct msg msg;
	struct job *job = slot->job;
	char first;
	ssize_t got;

	if (job->report.limit > 0)
		return;
	got = recv(slot->channel_fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
	if (got < 0 && errno == ECONNRESET)
		job->is_unread = true;
	if (got <= 0 || chan_receive_blocking(slot->channel_fd, &msg, NULL) < 0)
		return;
	buf_init(&job->report, LIMIT_REPORT_BYTES);
	if (msg.type == WORKER_REPORT && msg.length >= WORKER_REPORT_HEADER_BYTES) {
		job->report_flags = msg.body[0];
		job->report_exit = msg.body[1];
		buf_add(&job->report, msg.body + WORKER_REPORT_HEADER_BYTES,
			msg.length - WORKER_REPORT_HEADER_BYTES);
	}
	msg_done(&msg);
}

static void add_report(struct slot *slot, struct buf *outcome)
{
	const struct buf *report = &slot->job->report;

	/* It may have ended in the very round in which it spoke. */
	take_report(slot);
	if (report->length > 0 && !report->has_failed)
		bundle_add(outcome, BUNDLE_REPORT, NULL, 0, report->data, report->length);
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
	if (done->processes_peak > run_processes_of_worker(slot))
		done->processes_peak -= run_processes_of_worker(slot);
	done->queue_us = job->assigned_us - job->accepted_us;
	done->start_us = job->sent_us - job->assigned_us;
	done->run_us = done->wall_us;
	done->layers = slot->layers;
	done->landlock_abi = slot->landlock_abi;
	done->cgroup_version = (uint8_t)slot->warden->cgroups.version;
}

static void judge(const struct slot *slot, struct job_done *done)
{
	struct ending ending = {
		.exit_how = slot->exit_how,
		.exit_value = slot->exit_value,
		.verdict = slot->job->verdict,
		.limit_hit = slot->job->limit_hit,
		.is_memory_error = (slot->job->report_flags & WORKER_REPORT_MEMORY) != 0,
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
	    ending.exit_value == SIGKILL && warden_has_cells(slot->warden) &&
	    !child_is_alive(&slot->runtime->maker))
		ending.verdict = STATUS_INTERNAL_ERROR;
	outcome_judge(&ending, done);
}

/* True when no process of the job can be alive. */
static bool is_all_dead(const struct slot *slot)
{
	if (!warden_has_cells(slot->warden))
		return slot->is_worker_gone && bare_is_alone(slot);
	return slot->is_worker_gone &&
	       (slot->is_cell_gone || cgroup_group_is_empty(&slot->group));
}

/* Which number of the request would have helped. */
static const char *limit_of(const struct job_done *done)
{
	switch (done->limit_hit) {
	case LIMIT_HIT_WALL:
		return "wall_ms";
	case LIMIT_HIT_CPU:
		return "cpu_ms";
	case LIMIT_HIT_MEMORY:
		return "memory_bytes";
	case LIMIT_HIT_STDOUT:
	case LIMIT_HIT_STDERR:
		return "output_bytes";
	case LIMIT_HIT_WORKSPACE:
		return "workspace_bytes";
	default:
		return NULL;
	}
}

/* The number of files is none that a request can raise, so no target names it. */
static void tell_workspace(struct slot *slot, const struct job_done *done)
{
	struct statfs disk;
	char text[80];

	if (fstatfs(slot->workspace_fd, &disk) != 0)
		return;
	if (disk.f_bfree == 0) {
		events_tell(&slot->events, EVENT_LIMIT, 1, done->wall_us, "workspace_bytes",
			    "the workspace is full");
	} else if (disk.f_ffree == 0) {
		(void)snprintf(text, sizeof(text),
			       "no more than %u files fit into the workspace",
			       LIMIT_WORKSPACE_INODES);
		events_tell(&slot->events, EVENT_LIMIT, 1, done->wall_us, "", text);
	}
}

static void tell_limits(struct slot *slot, const struct job_done *done)
{
	uint64_t refused = cgroup_group_pids_refused(&slot->group);
	const char *limit = limit_of(done);

	if (limit != NULL)
		events_tell(&slot->events, EVENT_LIMIT, 1, done->wall_us, limit,
			    "it ended the execution");
	if (refused > 0)
		events_tell(&slot->events, EVENT_LIMIT, refused, done->wall_us, "processes",
			    "a process or thread could not be started");
	else if (!run_counts_refusals(slot, slot->job->start.processes) &&
		 done->processes_peak >= slot->job->start.processes)
		events_tell(&slot->events, EVENT_LIMIT, 1, done->wall_us, "processes",
			    "all that are allowed ran at once, no further one could start");
	tell_workspace(slot, done);
}

/* What the end shows: limits, processes, files. */
static void tell_end(struct slot *slot, const struct job_done *done)
{
	uint64_t files = slot->job->files.count;
	char text[64];

	tell_limits(slot, done);
	/* After a compiler the peak is no sign that the job itself started one. */
	if (done->processes_peak > 1 && slot->runtime->setup.compile_wall_ms == 0) {
		(void)snprintf(text, sizeof(text), "up to %u at once, the first included",
			       done->processes_peak);
		events_tell(&slot->events, EVENT_PROCESSES, done->processes_peak - 1,
			    done->wall_us, "", text);
	}
	if (files > 0)
		events_tell(
			&slot->events, EVENT_FILES, files, done->wall_us, "",
			done->files_truncated
				? "new or changed, in the workspace; the answer has not got "
				  "all that were left"
				: "new or changed, in the workspace");
}

static uint64_t files_budget(struct slot *slot)
{
	struct loop *loop = &slot->warden->loop;
	uint64_t left = LIMIT_OUTCOME_BYTES - OUTCOME_OVERHEAD_BYTES;

	stream_drain(&slot->out, loop);
	stream_drain(&slot->errors, loop);
	left -= slot->out.bytes.length + slot->errors.bytes.length;
	return left < LIMIT_FILES_READ_BYTES ? left : LIMIT_FILES_READ_BYTES;
}

static int build(struct slot *slot, struct buf *outcome, struct job_done *done, struct err *err)
{
	struct loop *loop = &slot->warden->loop;
	struct job_files *files = &slot->job->files;

	notify_settle(slot);
	add_stream(&slot->out, loop, BUNDLE_STDOUT, outcome);
	add_stream(&slot->errors, loop, BUNDLE_STDERR, outcome);
	add_report(slot, outcome);
	done->stdout_truncated = slot->out.is_over;
	done->stderr_truncated = slot->errors.is_over;
	fill_usage(slot, done);
	judge(slot, done);
	/* Not dead yet: then the workspace was empty when they were killed. */
	if (!files->is_done && is_all_dead(slot))
		gather_now(slot, files_budget(slot));
	done->files_truncated = files->is_truncated;
	if (files->status < 0) {
		*err = files->err;
		return -EIO;
	}
	if (buf_check(outcome, err) < 0)
		return -EIO;
	tell_end(slot, done);
	events_write(&slot->events, outcome, done);
	return buf_check(outcome, err);
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
	outcome_fd = fd_take(&job->files.fd);
	if (status == 0 && outcome_fd < 0)
		status = memfd_new("outcome", &outcome_fd, &err);
	if (status == 0)
		status = memfd_add(outcome_fd, outcome.data, outcome.length, &err);
	if (status == 0)
		status = memfd_seal(outcome_fd, &err);
	if (status < 0) {
		fd_drop(&outcome_fd);
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

static void slot_empty(struct slot *slot)
{
	/* What removes the folder comes here again when it has. */
	if (!warden_has_cells(slot->warden) && !bare_clear(slot))
		return;
	slot_clear(slot);
	slot_enter(slot, SLOT_EMPTY);
	warden_progress(slot->warden);
}

static bool is_gone(const struct slot *slot)
{
	bool is_rest_gone = warden_has_cells(slot->warden)
				    ? slot->is_cell_gone || slot->init_pidfd < 0
				    : bare_is_alone(slot);

	return (slot->is_worker_gone || slot->worker_pidfd < 0) && is_rest_gone;
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

/* Its code did not run, so another worker may have it. */
static bool is_unread(struct slot *slot)
{
	if (slot->job->verdict != STATUS_NONE || slot->has_said_done)
		return false;
	take_report(slot);
	return slot->job->is_unread;
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
		job->is_unread = false;
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
			if (slot->is_worker_gone && !warden_has_cells(slot->warden))
				bare_sweep(slot);
			break;
		}
		if (gather_begin(slot, files_budget(slot)))
			break;
		job_ended(slot);
		ending_begin(slot);
		break;
	case SLOT_ENDING:
		if (is_gone(slot))
			slot_empty(slot);
		else if (slot->is_worker_gone && !warden_has_cells(slot->warden))
			bare_sweep(slot);
		break;
	default:
		if (making_hear_last(slot))
			break;
		err_ignore(err_set(&err, ECHILD, "%s ended (%s %d)",
				   slot->is_worker_gone ? "the worker" : "the cell",
				   slot->exit_how == CLD_EXITED ? "exit code" : "signal",
				   slot->exit_value),
			   "the text is wanted");
		making_failed(slot, &err);
	}
}

void ending_look_again(struct slot *slot)
{
	if (slot->state == SLOT_BUSY || slot->state == SLOT_ENDING)
		something_ended(slot);
}

/* The worker's largest resident size so far, from the kernel; 0 when it is gone already. */
static uint64_t peak_bytes(pid_t pid)
{
	char path[32];
	char text[4096];
	const char *line;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (proc_text(path, text, sizeof(text)) <= 0)
		return 0;
	line = strstr(text, "\nVmHWM:");
	return line != NULL ? strtoull(line + 7, NULL, 10) * 1024 : 0;
}

/* How long a stopped worker waits for its end: until the answer is with its caller. */
#define STOPPED_US 2000

/*
 * Taking a large process apart occupies a processor for a millisecond, just when five others
 * want to pass the answer on. A lone worker is stopped instead, which the kernel grants at once
 * and no process can refuse, and killed when there is time. When others wait for its place, or
 * it is not alone, it is killed now.
 */
static bool can_be_stopped(const struct slot *slot)
{
	return pool_has_plenty(slot->warden, slot->runtime) &&
	       cgroup_group_is_single(&slot->group) &&
	       syscall(SYS_pidfd_send_signal, slot->worker_pidfd, SIGSTOP, NULL, 0) == 0;
}

/* Everything there was to run has run, says the worker. It waits to be killed. */
static void worker_is_done(struct slot *slot)
{
	struct loop *loop = &slot->warden->loop;
	bool is_stopped;

	slot->has_said_done = true;
	slot->exit_how = CLD_EXITED;
	slot->exit_value = slot->job->report_exit;
	slot->job->ended_us = clock_mono_us();
	if (slot->group.memory_peak < 0)
		slot->worker_peak_bytes = peak_bytes(slot_job_pid(slot));
	slot->warden->busy_us = slot->job->ended_us;
	loop_timer_stop(loop, &slot->cpu_timer);
	is_stopped = can_be_stopped(slot);
	if (!is_stopped)
		slot_kill(slot);
	if (!collect_is_empty(slot->workspace_fd)) {
		slot_kill(slot);
		loop_timer_start(loop, &slot->step_timer, RUN_KILL_WAIT_US);
		return;
	}
	job_ended(slot);
	if (!is_stopped) {
		ending_begin(slot);
		return;
	}
	slot_enter(slot, SLOT_ENDING);
	slot->ending_ticks = 0;
	loop_timer_start(loop, &slot->step_timer, STOPPED_US);
}

static void report_came(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct slot *slot = watch->owner;

	(void)events;
	/* One message, whatever it is: a job cannot keep us busy here. */
	loop_unwatch(loop, watch);
	if (slot->state != SLOT_BUSY || slot->is_worker_gone)
		return;
	take_report(slot);
	if ((slot->job->report_flags & WORKER_REPORT_DONE) != 0 &&
	    slot->job->verdict == STATUS_NONE)
		worker_is_done(slot);
}

void ending_listen(struct slot *slot)
{
	struct err err = {0};

	slot->channel_watch.ready = report_came;
	if (loop_watch(&slot->warden->loop, &slot->channel_watch, slot->channel_fd, EPOLLIN,
		       &err) < 0)
		log_event(LOG_WARN, "report_not_heard", LOG_INT("slot", slot->index),
			  LOG_STR("why", err.text));
}

void ending_worker_exited(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct slot *slot = watch->owner;
	struct rusage usage = {0};
	siginfo_t info = {0};

	(void)events;
	if (slot->job != NULL && !slot->has_said_done)
		slot->job->ended_us = clock_mono_us();
	/* The system call and not waitid(3), which has no room for the usage. */
	(void)syscall(SYS_waitid, P_PIDFD, slot->worker_pidfd, &info,
		      WEXITED | WNOHANG | __WALL, &usage);
	if (!slot->has_said_done) {
		slot->exit_how = info.si_code;
		slot->exit_value = info.si_status;
	}
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
