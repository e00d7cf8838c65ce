/*
 * sandbox/warden/job.h - one job from JOB_START to JOB_DONE, and the queue of those that wait.
 */
#ifndef SANDBOX_WARDEN_JOB_H
#define SANDBOX_WARDEN_JOB_H

#include "base/buf.h"
#include "base/loop.h"
#include "base/memfd.h"
#include "schema/wire/ledger_warden.h"
#include "schema/wire/setup.h"

struct warden;
struct runtime;

/* What the job left in its workspace, see gather.h. */
struct job_files {
	uint64_t budget_bytes;
	uint64_t count;
	int fd; /* owned: the outcome's first part; -1 */
	int status;
	bool is_truncated;
	bool is_done;
	struct err err;
};

struct job {
	struct job *next; /* in the queue */
	struct job *previous;
	struct warden *warden;
	struct runtime *runtime;
	uint64_t id; /* the ledger's number */
	struct job_start start;
	int payload_fd;	     /* owned, sealed */
	struct span payload; /* the same, mapped: for stdin and for comparing files */
	struct timer queue_timer;
	unsigned tries; /* workers that died before they read it */
	uint64_t accepted_us;
	uint64_t assigned_us;
	uint64_t sent_us;
	uint64_t ended_us;
	bool is_unread; /* its worker died before it took the job */
	/* What the worker reported at its end: the JSON's bytes, untrusted; and its flags. */
	struct buf report;
	uint8_t report_flags;
	uint8_t report_exit;
	struct job_files files;
	/* Why the warden ended it; STATUS_NONE while it goes its own way. The first reason
	 * stays. */
	uint8_t verdict;
	uint8_t limit_hit;
	bool is_orphan; /* the ledger that asked is gone: no answer, and its number may come
			   again */
};

/* 0, or -ERANGE with the name of the limit that is missing, too small or above what the
 * configuration allows. The ledger has filled them in; it is checked again all the same. */
nodiscard int job_check(const struct job_start *start, const struct setup_warden_config *config,
			struct err *err);

/* Takes `take_payload_fd`, which must be a sealed, well-formed bundle that starts with CODE. */
nodiscard int job_new(struct warden *warden, uint64_t id, const struct job_start *start,
		      int take_payload_fd, struct job **ret, struct err *err);

void job_free(struct job *job);

/* First in, first out, but a job whose runtime has no worker does not hold up the others. */
struct job_queue {
	struct job *first;
	struct job *last;
	unsigned length;
};

void job_queue_add(struct job_queue *queue, struct job *job);
void job_queue_add_first(struct job_queue *queue, struct job *job);
void job_queue_remove(struct job_queue *queue, struct job *job);
struct job *job_queue_find(const struct job_queue *queue, uint64_t id);
struct job *job_queue_first_for(const struct job_queue *queue, const struct runtime *runtime);

#endif
