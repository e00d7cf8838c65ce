/*
 * schema/wire/gate_ledger.h - between the gate, which may only ask, and the ledger, which
 * decides. The message id is the gate's own number of the question; the answer carries it back.
 */
#ifndef SCHEMA_WIRE_GATE_LEDGER_H
#define SCHEMA_WIRE_GATE_LEDGER_H

#include "base/wire_gen.h"
#include "schema/limits.h"
#include "schema/status.h"
#include "schema/wire/front_gate.h"
#include "schema/wire/runtime_limits.h"

enum gate_ledger_message {
	/* gate -> ledger */
	ASK_EXECUTE = 200, /* fds: 1, the body as a sealed memfd */
	ASK_EXECUTION,	   /* look one up */
	ASK_VIEW,	   /* may this identity see this view? */
	ASK_METRICS,
	ASK_CANCEL,  /* id: of the ASK_EXECUTE or ASK_VALIDATE whose caller left; no answer */
	TELL_TLS_REFUSED, /* fields of FRONT_REFUSED; no answer */
	ASK_FILE,	  /* what a kept result file is, or a part of it */
	ASK_VALIDATE,	  /* fds: 1, as ASK_EXECUTE, whose fields it has: judge code, run nothing */
	/* ledger -> gate */
	ANSWER_REFUSED = 220, /* fds: 0 or 1, memfd with a JSON array of faults */
	ANSWER_EXECUTION,     /* fds: 1, memfd with JSON members (see below) */
	ANSWER_VIEW,
	ANSWER_METRICS, /* fds: 1, memfd with Prometheus text */
	TELL_STATE,
	TELL_RUNTIME,	   /* one per runtime, before TELL_STATE says ready */
	TELL_CAPABILITIES,
	ANSWER_FILE, /* fds: 0 or 1, memfd with the part asked for */
	ANSWER_VALIDATION /* fds: 1, memfd with JSON members, as CODE_GOOD brought them */
};

/* Who asks: repeated in each question, because the ledger keeps no connection state. */
#define ASK_IDENTITY_FIELDS(F)                                                                     \
	F(U8, identity_kind, 0, IDENTITY_MAX)                                                      \
	F(STR, identity, 0, LIMIT_IDENTITY_BYTES)                                                  \
	F(STR, serial, 0, 64)                                                                      \
	F(BYTES, fingerprint, 0, 32)                                                               \
	F(STR, peer, 0, LIMIT_PEER_BYTES)                                                          \
	F(STR, request_id, 1, LIMIT_REQUEST_ID_BYTES)                                              \
	F(STR, traceparent, LIMIT_TRACEPARENT_BYTES, LIMIT_TRACEPARENT_BYTES)

#define ASK_EXECUTE_FIELDS(F)                                                                      \
	ASK_IDENTITY_FIELDS(F)                                                                     \
	F(U64, receive_us, 0, UINT64_MAX) /* from the first header byte to the whole body */
WIRE_DECLARE(ask_execute, ASK_EXECUTE_FIELDS)

#define ASK_EXECUTION_FIELDS(F)                                                                    \
	ASK_IDENTITY_FIELDS(F)                                                                     \
	F(STR, execution_id, 1, LIMIT_ID_CHARS)
WIRE_DECLARE(ask_execution, ASK_EXECUTION_FIELDS)

/* `path` is decoded and normalised. length 0: only what the file is; else the bytes from `offset` on,
 * which must be there: the gate has asked for the size before. */
#define ASK_FILE_FIELDS(F)                                                                         \
	ASK_IDENTITY_FIELDS(F)                                                                     \
	F(STR, execution_id, 1, LIMIT_ID_CHARS)                                                    \
	F(STR, path, 1, LIMIT_PATH_BYTES)                                                          \
	F(U64, offset, 0, LIMIT_FILES_READ_BYTES)                                                  \
	F(U64, length, 0, LIMIT_FILES_READ_BYTES)
WIRE_DECLARE(ask_file, ASK_FILE_FIELDS)

#define ANSWER_FILE_FIELDS(F)                                                                      \
	F(U64, size, 0, LIMIT_FILES_READ_BYTES)                                                    \
	F(BYTES, sha256, 0, 32)
WIRE_DECLARE(answer_file, ANSWER_FILE_FIELDS)

/* What else can be seen. Any known principal sees runtimes, capabilities and the API
 * description; metrics on the main port are for operators. */
enum view { VIEW_RUNTIMES = 1, VIEW_CAPABILITIES, VIEW_OPENAPI, VIEW_METRICS, VIEW_HEALTH,
	    VIEW_MAX = VIEW_HEALTH };
#define ASK_VIEW_FIELDS(F)                                                                         \
	ASK_IDENTITY_FIELDS(F)                                                                     \
	F(U8, view, 1, VIEW_MAX)
WIRE_DECLARE(ask_view, ASK_VIEW_FIELDS)

#define ASK_METRICS_FIELDS WIRE_EMPTY
WIRE_DECLARE(ask_metrics, ASK_METRICS_FIELDS)

#define ASK_CANCEL_FIELDS WIRE_EMPTY
WIRE_DECLARE(ask_cancel, ASK_CANCEL_FIELDS)

/* detail: one sentence about this case; hint: what to do, for a person or a model. */
#define ANSWER_REFUSED_FIELDS(F)                                                                   \
	F(U8, problem, 1, PROBLEM_MAX)                                                             \
	F(U32, retry_after_s, 0, 86400) /* 0: no Retry-After */                                    \
	F(STR, detail, 0, LIMIT_DETAIL_BYTES)                                                      \
	F(STR, hint, 0, LIMIT_DETAIL_BYTES)
WIRE_DECLARE(answer_refused, ANSWER_REFUSED_FIELDS)

/* Numbers of one finished execution that the ledger records and the gate prints. Times of the
 * phases in microseconds, in the order they happen. */
#define EXECUTION_USAGE_FIELDS(F)                                                                  \
	F(U64, wall_us, 0, UINT64_MAX)                                                             \
	F(U64, cpu_us, 0, UINT64_MAX)                                                              \
	F(U64, memory_peak_bytes, 0, UINT64_MAX)                                                   \
	F(U32, processes_peak, 0, UINT32_MAX) /* 0: not measured (no pids cgroup) */

#define ANSWER_EXECUTION_FIELDS(F)                                                                 \
	F(STR, execution_id, LIMIT_ID_CHARS, LIMIT_ID_CHARS)                                       \
	F(STR, runtime, 1, LIMIT_NAME_BYTES)                                                       \
	F(STR, request_id, 1, LIMIT_REQUEST_ID_BYTES) /* of the original request */                \
	F(U64, created_ms, 0, UINT64_MAX) /* wall clock, Unix ms */                                \
	F(U8, status, 1, STATUS_MAX)                                                               \
	F(U8, limit_hit, 0, LIMIT_HIT_MAX)                                                         \
	F(I64, exit_code, -1, 255) /* -1: none, a signal ended it or it never ran */               \
	F(U8, signal, 0, 64)	     /* 0: none */                                                 \
	EXECUTION_USAGE_FIELDS(F)                                                                  \
	F(U64, receive_us, 0, UINT64_MAX)                                                          \
	F(U64, validate_us, 0, UINT64_MAX)                                                         \
	F(U64, queue_us, 0, UINT64_MAX)                                                            \
	F(U64, start_us, 0, UINT64_MAX)                                                            \
	F(U64, run_us, 0, UINT64_MAX)                                                              \
	F(U64, collect_us, 0, UINT64_MAX)                                                          \
	F(U64, canonicalize_us, 0, UINT64_MAX)                                                     \
	F(U64, total_us, 0, UINT64_MAX) /* in the ledger, until the commit began */                \
	F(U32, layers, 0, LAYER_ALL)                                                               \
	F(U32, landlock_abi, 0, 64)                                                                \
	F(U8, cgroup_version, 0, 2) /* 0: none */                                                  \
	F(U64, record_index, 0, UINT64_MAX)                                                        \
	F(BYTES, record_hash, 0, 32)
WIRE_DECLARE(answer_execution, ANSWER_EXECUTION_FIELDS)
/*
 * The memfd holds JSON members without braces, made by the validator:
 *   "stdout":"...","stdout_encoding":"utf-8","stdout_truncated":false, (same for stderr)
 *   "error":null or {...},"result":null or "...","events":[...],"events_dropped":0,
 *   "files":[...],"files_truncated":false,"findings":[...],"findings_truncated":false,
 *   "sanitised":[...]
 * The gate puts them into the object as they are.
 */

#define ANSWER_VIEW_FIELDS(F)                                                                      \
	F(U8, view, 1, VIEW_MAX)                                                                   \
	F(STR, tenant, 1, LIMIT_NAME_BYTES)
WIRE_DECLARE(answer_view, ANSWER_VIEW_FIELDS)

#define ANSWER_VALIDATION_FIELDS WIRE_EMPTY
WIRE_DECLARE(answer_validation, ANSWER_VALIDATION_FIELDS)

#define ANSWER_METRICS_FIELDS WIRE_EMPTY
WIRE_DECLARE(answer_metrics, ANSWER_METRICS_FIELDS)

/* Pushed whenever it changes. `reason` says what is missing; empty when ready. */
#define TELL_STATE_FIELDS(F)                                                                       \
	F(U8, is_ready, 0, 1)                                                                      \
	F(STR, reason, 0, LIMIT_DETAIL_BYTES)
WIRE_DECLARE(tell_state, TELL_STATE_FIELDS)

#define TELL_RUNTIME_FIELDS(F)                                                                     \
	F(STR, name, 1, LIMIT_NAME_BYTES)                                                          \
	F(STR, version, 0, 64)                                                                     \
	F(STR, modules, 0, 4096) /* preloaded, comma separated, each "name version" or "name" */   \
	RUNTIME_LIMIT_FIELDS(F)                                                                    \
	F(STR, missing, 0, LIMIT_DETAIL_BYTES) /* why it cannot be used; empty: it can */
WIRE_DECLARE(tell_runtime, TELL_RUNTIME_FIELDS)

#define TELL_CAPABILITIES_FIELDS(F)                                                                \
	F(U32, layers, 0, LAYER_ALL)                                                               \
	F(U32, landlock_abi, 0, 64)                                                                \
	F(U8, cgroup_version, 0, 2)
WIRE_DECLARE(tell_capabilities, TELL_CAPABILITIES_FIELDS)

#endif
