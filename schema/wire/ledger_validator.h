/*
 * schema/wire/ledger_validator.h - the ledger hands bytes it does not read to a process that
 * holds nothing, and gets typed facts back. One question at a time per validator and id.
 */
#ifndef SCHEMA_WIRE_LEDGER_VALIDATOR_H
#define SCHEMA_WIRE_LEDGER_VALIDATOR_H

#include "base/wire_gen.h"
#include "schema/events.h"
#include "schema/limits.h"
#include "schema/status.h"

enum ledger_validator_message {
	/* ledger -> validator */
	CHECK_REQUEST = 300, /* fds: 1, request body as a sealed memfd */
	CHECK_OUTCOME,	     /* fds: 1 or 2, outcome bundle, what REQUEST_GOOD brought beside the payload */
	CHECK_CODE,	     /* fds: 1, body of a validation: nothing will run */
	/* validator -> ledger */
	REQUEST_GOOD = 320, /* fds: 1 or 2, payload bundle, memfd: what was found in the code (see below) */
	REQUEST_BAD,	    /* fds: 1, memfd: JSON array of faults {pointer, rule, detail, hint} */
	OUTCOME_GOOD,	    /* fds: 1, memfd: JSON members (see gate_ledger.h) */
	OUTCOME_FILE,	    /* before OUTCOME_GOOD: one for each file that is to be kept */
	CODE_GOOD	    /* fds: 1, memfd: JSON members of the answer; what is bad is REQUEST_BAD */
};

/* The seven limits; as a ceiling, as asked for (0: the caller left it out), as granted. */
#define LIMIT_FIELDS(F)                                                                            \
	F(U64, wall_ms, 0, LIMIT_WALL_MS_MAX)                                                      \
	F(U64, cpu_ms, 0, LIMIT_CPU_MS_MAX)                                                        \
	F(U64, memory_bytes, 0, LIMIT_MEMORY_BYTES_MAX)                                            \
	F(U64, output_bytes, 0, LIMIT_OUTPUT_BYTES_MAX)                                            \
	F(U64, processes, 0, LIMIT_PROCESSES_MAX)                                                  \
	F(U64, open_files, 0, LIMIT_OPEN_FILES_MAX)                                                \
	F(U64, workspace_bytes, 0, LIMIT_WORKSPACE_BYTES_MAX)

/* The tenant's name and ceilings, for the fault that names them; the policy of the caller's
 * principal, which the request may narrow. */
#define CHECK_REQUEST_FIELDS(F)                                                                    \
	F(STR, tenant, 1, LIMIT_NAME_BYTES)                                                        \
	F(STR, policy, 1, LIMIT_NAME_BYTES)                                                        \
	LIMIT_FIELDS(F)
WIRE_DECLARE(check_request, CHECK_REQUEST_FIELDS)

/* What rules and policies say of the code: whether it is refused, findings by severity. */
#define VERDICT_FIELDS(F)                                                                          \
	F(U8, is_rejected, 0, 1)                                                                   \
	F(U64S, findings, 0, SEVERITY_MAX + 1)

/*
 * code_offset, code_bytes: where the source lies in the payload, for the ledger's hash.
 * The second memfd holds JSON members without braces, which the ledger does not read:
 *   "findings":[...],"findings_truncated":false,"sanitised":[...]
 * Without it they are [], false and []. They go into the answer of the execution, whatever becomes of it.
 */
#define REQUEST_GOOD_FIELDS(F)                                                                     \
	F(STR, language, 1, LIMIT_NAME_BYTES)                                                      \
	VERDICT_FIELDS(F)                                                                          \
	LIMIT_FIELDS(F)                                                                            \
	F(U64, code_offset, 0, LIMIT_PAYLOAD_BYTES)                                                \
	F(U64, code_bytes, 0, LIMIT_CODE_BYTES)
WIRE_DECLARE(request_good, REQUEST_GOOD_FIELDS)

#define CHECK_CODE_FIELDS(F) F(STR, policy, 1, LIMIT_NAME_BYTES)
WIRE_DECLARE(check_code, CHECK_CODE_FIELDS)

/* is_read: there are rules for the language. Of one without, the ledger knows whether it exists. */
#define CODE_GOOD_FIELDS(F)                                                                        \
	F(STR, language, 1, LIMIT_NAME_BYTES)                                                      \
	F(U8, is_read, 0, 1)                                                                       \
	VERDICT_FIELDS(F)
WIRE_DECLARE(code_good, CODE_GOOD_FIELDS)

#define REQUEST_BAD_FIELDS(F)                                                                      \
	F(U8, problem, 1, PROBLEM_MAX)                                                             \
	F(STR, detail, 1, LIMIT_DETAIL_BYTES)                                                      \
	F(STR, hint, 0, LIMIT_DETAIL_BYTES)
WIRE_DECLARE(request_bad, REQUEST_BAD_FIELDS)

/* What the validator needs to explain an end by a limit; stream and file flags go through. */
#define CHECK_OUTCOME_FIELDS(F)                                                                    \
	F(U8, status, 1, STATUS_MAX)                                                               \
	F(U8, limit_hit, 0, LIMIT_HIT_MAX)                                                         \
	F(I64, exit_code, -1, 255)                                                                 \
	F(U8, signal, 0, 64)                                                                       \
	F(U8, stdout_truncated, 0, 1)                                                              \
	F(U8, stderr_truncated, 0, 1)                                                              \
	F(U8, files_truncated, 0, 1)                                                               \
	LIMIT_FIELDS(F)                                                                            \
	F(STR, execution_id, LIMIT_ID_CHARS, LIMIT_ID_CHARS)                                       \
	F(U64, keep_bytes_max, 0, UINT64_MAX) /* all kept files together; 0: none is kept */
WIRE_DECLARE(check_outcome, CHECK_OUTCOME_FIELDS)

/* A file whose content does not come inline: where it lies in the outcome bundle. */
#define OUTCOME_FILE_FIELDS(F)                                                                     \
	F(STR, path, 1, LIMIT_PATH_BYTES)                                                          \
	F(U64, offset, 0, LIMIT_OUTCOME_BYTES)                                                     \
	F(U64, size, 1, LIMIT_FILES_READ_BYTES)                                                    \
	F(BYTES, sha256, 0, 32)
WIRE_DECLARE(outcome_file, OUTCOME_FILE_FIELDS)

/* policy_denied: how many refusals of the second lock the worker tells of, for the record. */
#define OUTCOME_GOOD_FIELDS(F) F(U64, policy_denied, 0, UINT64_MAX)
WIRE_DECLARE(outcome_good, OUTCOME_GOOD_FIELDS)

#endif
