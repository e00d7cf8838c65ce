/*
 * sandbox/warden/ledger.h - the channel to the ledger: jobs in, outcomes and news out.
 *
 * Without the ledger nothing runs, because nothing could be recorded: when the channel is lost,
 * running and waiting jobs are ended and the pool waits for a new one.
 */
#ifndef SANDBOX_WARDEN_LEDGER_H
#define SANDBOX_WARDEN_LEDGER_H

#include "sandbox/warden/runtime.h"
#include "schema/wire/ledger_warden.h"

/* Takes `take_fd`; an earlier channel is closed and its jobs ended. */
nodiscard int ledger_attach(struct warden *warden, int take_fd, struct err *err);

/* Ends every job, running and waiting, without an answer. */
void ledger_drop_jobs(struct warden *warden);

void ledger_job_done(struct warden *warden, uint64_t id, const struct job_done *done,
		     int outcome_fd);
void ledger_refuse(struct warden *warden, uint64_t id, uint8_t problem, uint32_t retry_after_s,
		   const char *detail);

/* Puts a job that no worker has read yet first in the queue. */
void ledger_try_again(struct job *take_job);

/* Refuses a job that no worker could be given, and frees it. */
void ledger_refuse_job(struct job *take_job);

/* Refuses what waits, because the service ends. */
void ledger_refuse_queue(struct warden *warden);

void ledger_tell_runtime(struct runtime *runtime);
void ledger_tell_capabilities(struct warden *warden, uint32_t layers, uint32_t landlock_abi);
void ledger_tell_pools(struct warden *warden);

#endif
