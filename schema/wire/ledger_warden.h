/*
 * schema/wire/ledger_warden.h - typed jobs to the warden, typed outcomes back. The message id is
 * the ledger's number of the job. The warden checks every value again.
 */
#ifndef SCHEMA_WIRE_LEDGER_WARDEN_H
#define SCHEMA_WIRE_LEDGER_WARDEN_H

#include "base/wire_gen.h"
#include "schema/events.h"
#include "schema/limits.h"
#include "schema/status.h"
#include "schema/wire/gate_ledger.h"
#include "schema/wire/ledger_validator.h"

enum ledger_warden_message {
	/* ledger -> warden */
	JOB_START = 400, /* fds: 1, payload bundle */
	JOB_CANCEL,	 /* the job ends as cancelled, a queued one at once */
	/* warden -> ledger */
	JOB_DONE = 420, /* fds: 1, outcome bundle */
	JOB_REFUSED,
	WARDEN_RUNTIME,
	WARDEN_CAPABILITIES,
	WARDEN_POOL
};

/* All limits are set: defaults were filled in by the ledger. */
#define JOB_START_FIELDS(F)                                                                        \
	F(STR, execution_id, LIMIT_ID_CHARS, LIMIT_ID_CHARS)                                       \
	F(STR, runtime, 1, LIMIT_NAME_BYTES)                                                       \
	F(U32, queue_ms, 0, 600000) /* how long it may wait for a worker */                        \
	LIMIT_FIELDS(F)
WIRE_DECLARE(job_start, JOB_START_FIELDS)

#define JOB_CANCEL_FIELDS WIRE_EMPTY
WIRE_DECLARE(job_cancel, JOB_CANCEL_FIELDS)

#define JOB_DONE_FIELDS(F)                                                                         \
	F(U8, status, 1, STATUS_MAX)                                                               \
	F(U8, limit_hit, 0, LIMIT_HIT_MAX)                                                         \
	F(I64, exit_code, -1, 255)                                                                 \
	F(U8, signal, 0, 64)                                                                       \
	F(U8, stdout_truncated, 0, 1)                                                              \
	F(U8, stderr_truncated, 0, 1)                                                              \
	F(U8, files_truncated, 0, 1)                                                               \
	EXECUTION_USAGE_FIELDS(F)                                                                  \
	F(U64, queue_us, 0, UINT64_MAX)                                                            \
	F(U64, start_us, 0, UINT64_MAX)                                                            \
	F(U64, run_us, 0, UINT64_MAX)                                                              \
	F(U64, collect_us, 0, UINT64_MAX)                                                          \
	F(U32, layers, 0, LAYER_ALL)                                                               \
	F(U32, landlock_abi, 0, 64)                                                                \
	F(U8, cgroup_version, 0, 2)                                                                \
	F(U64S, event_counts, 0, EVENT_KINDS) /* of each kind, listed in the outcome or not */     \
	F(U64, events_dropped, 0, UINT64_MAX) /* of them, those that no entry describes */
WIRE_DECLARE(job_done, JOB_DONE_FIELDS)

/* problem: QUEUE_FULL, QUEUE_TIMEOUT, UNKNOWN_RUNTIME, UNAVAILABLE, DRAINING or INTERNAL. */
#define JOB_REFUSED_FIELDS(F)                                                                      \
	F(U8, problem, 1, PROBLEM_MAX)                                                             \
	F(U32, retry_after_s, 0, 86400)                                                            \
	F(STR, detail, 0, LIMIT_DETAIL_BYTES)
WIRE_DECLARE(job_refused, JOB_REFUSED_FIELDS)

/* Once a runtime's zygote is up, and again when it comes back. */
#define WARDEN_RUNTIME_FIELDS TELL_RUNTIME_FIELDS
WIRE_DECLARE(warden_runtime, WARDEN_RUNTIME_FIELDS)

#define WARDEN_CAPABILITIES_FIELDS TELL_CAPABILITIES_FIELDS
WIRE_DECLARE(warden_capabilities, WARDEN_CAPABILITIES_FIELDS)

/* On every change, at most ten a second: for metrics and readiness. */
#define WARDEN_POOL_FIELDS(F)                                                                      \
	F(STR, runtime, 1, LIMIT_NAME_BYTES)                                                       \
	F(U32, ready, 0, UINT32_MAX)                                                               \
	F(U32, busy, 0, UINT32_MAX)                                                                \
	F(U32, starting, 0, UINT32_MAX)                                                            \
	F(U32, queued, 0, UINT32_MAX)                                                              \
	F(U64, workers_made, 0, UINT64_MAX)                                                        \
	F(U64, workers_failed, 0, UINT64_MAX) /* died before they were ready */
WIRE_DECLARE(warden_pool, WARDEN_POOL_FIELDS)

#endif
