/*
 * schema/limits.h - every limit of the service in one place: number, unit, reason.
 *
 * *_DEFAULT is used when a request leaves the field out (or null); *_MAX is the hard ceiling no
 * configuration passes. Tenants get their own ceilings in between. The JSON schemas repeat the
 * MIN and MAX values; tests/unit/validator/test_limits.c fails when the two differ.
 */
#ifndef SCHEMA_LIMITS_H
#define SCHEMA_LIMITS_H

/* --- per execution, asked for by the caller ---------------------------------------------- */

/* Wall time, ms. Tool calls time out at 60 s in the common SDKs; 5 min is a long analysis. */
#define LIMIT_WALL_MS_MIN     10
#define LIMIT_WALL_MS_DEFAULT 10000
#define LIMIT_WALL_MS_MAX     300000

/* CPU time of all processes of the job, ms. */
#define LIMIT_CPU_MS_MIN     10
#define LIMIT_CPU_MS_DEFAULT 10000
#define LIMIT_CPU_MS_MAX     300000

/* Memory of the whole job, bytes. Below 16 MiB an interpreter cannot import anything. */
#define LIMIT_MEMORY_BYTES_MIN	   (16ull << 20)
#define LIMIT_MEMORY_BYTES_DEFAULT (256ull << 20)
#define LIMIT_MEMORY_BYTES_MAX	   (8ull << 30)

/* stdout and stderr, bytes each. 1 MiB is far more than a model reads. */
#define LIMIT_OUTPUT_BYTES_MIN	   1024ull
#define LIMIT_OUTPUT_BYTES_DEFAULT (1ull << 20)
#define LIMIT_OUTPUT_BYTES_MAX	   (16ull << 20)

/* Processes and threads alive at once. numpy and asyncio start a few. */
#define LIMIT_PROCESSES_MIN	1
#define LIMIT_PROCESSES_DEFAULT 32
#define LIMIT_PROCESSES_MAX	512

/* Open descriptors per process. */
#define LIMIT_OPEN_FILES_MIN	 16
#define LIMIT_OPEN_FILES_DEFAULT 256
#define LIMIT_OPEN_FILES_MAX	 4096

/* Size of the workspace tmpfs, bytes. It counts against the job's memory too. */
#define LIMIT_WORKSPACE_BYTES_MIN     (64ull << 10)
#define LIMIT_WORKSPACE_BYTES_DEFAULT (64ull << 20)
#define LIMIT_WORKSPACE_BYTES_MAX     (2ull << 30)

/* X(member, NAME) for each that a language may have a default of its own of: all but the
 * workspace's size, with which input files are compared before the language is known. */
#define RUNTIME_LIMIT_LIST(X)         \
	X(wall_ms, WALL_MS)           \
	X(cpu_ms, CPU_MS)             \
	X(memory_bytes, MEMORY_BYTES) \
	X(output_bytes, OUTPUT_BYTES) \
	X(processes, PROCESSES)       \
	X(open_files, OPEN_FILES)

/* --- per execution, fixed ---------------------------------------------------------------- */

#define LIMIT_WORKSPACE_INODES 4096	     /* files and folders in the workspace */
#define LIMIT_BODY_BYTES       (32ull << 20) /* request body: code and input files in base64 */
#define LIMIT_CODE_BYTES       (1ull << 20)  /* source text of one execution */
#define LIMIT_STDIN_BYTES      (16ull << 20)
#define LIMIT_ARGS	       256  /* arguments in sys.argv after the name */
#define LIMIT_ARG_BYTES	       8192 /* one argument */
#define LIMIT_ENVS	       256
#define LIMIT_ENV_NAME_BYTES   128
#define LIMIT_ENV_VALUE_BYTES  32768
#define LIMIT_FILES	       256  /* files in, and files out */
#define LIMIT_PATH_BYTES       1024 /* one file's relative path, normalised */
#define LIMIT_FILE_INLINE_BYTES (64ull << 10) /* a result file up to this size comes inline */
#define LIMIT_FILES_INLINE_BYTES (4ull << 20) /* all inline result files together */
#define LIMIT_FILES_READ_BYTES (48ull << 20) /* result files read, all together; fits the outcome */
#define LIMIT_REPORT_BYTES     (56 * 1024) /* the worker's own report; fits one message */
#define LIMIT_EVENTS	       48   /* events of one execution that differ; equal ones are counted */
#define LIMIT_EVENT_CALL_BYTES 32   /* the longest name of a system call has 23 */
#define LIMIT_EVENT_TEXT_BYTES 240  /* arguments of one refused call; a path is cut */
#define LIMIT_CODE_TIME_MS     50   /* reading one source and judging it by all rules; 100 lines take about 1 */
#define LIMIT_CODE_NODES       400000 /* nodes of its syntax tree; what is read within the time has fewer */
#define LIMIT_CODE_TOKENS      60000 /* words and signs: with 65,536 open at the end the parser of
					tree-sitter 0.20.7 corrupts its memory; about 300 KiB */
#define LIMIT_FINDINGS	       64   /* findings listed for one source; a model repairs a few at a time */
#define LIMIT_FINDINGS_BYTES   (2ull << 20) /* the same as JSON: each has under 16 KiB even when every
					  character of its line needs an escape; and what was sanitised */
#define LIMIT_SANITISED	       320 /* changes listed: two of the code, a path of each file, and 62 remarks */
#define LIMIT_SANITISED_BYTES  (512ull << 10) /* the same as JSON: each has under 1.5 KiB */
#define LIMIT_GUARD_BYTES      (1u << 20) /* a policy chain's Python lists for the worker; one file has 256 KiB */
#define LIMIT_GUARD_POLICIES   17   /* eight that narrow one another, eight that a request names, its own */
#define LIMIT_GUARD_NAME_BYTES 800  /* one entry: 200 characters in UTF-8 */
#define LIMIT_DENIALS	       16   /* refusals of those lists that differ, as a worker tells them */
#define LIMIT_DENIAL_COUNT     1000000 /* of each; a job that lies about them moves a metric by no more */
#define LIMIT_RESULT_CHARS     16384	   /* value of the last expression as text */
#define LIMIT_JSON_DEPTH       64	   /* nesting of a request body; ours nests under 5 */
#define LIMIT_FAULTS	       32	   /* faults listed in one problem document */

/* A job's payload (request, decoded) and its outcome (streams, report, inline files). */
#define LIMIT_PAYLOAD_BYTES (64ull << 20)
#define LIMIT_OUTCOME_BYTES (64ull << 20)
/* The outcome as JSON: base64 or escapes grow it, at worst six times for control bytes. */
#define LIMIT_FRAGMENT_BYTES (256ull << 20)

/* --- identifiers on the wire ------------------------------------------------------------- */

#define LIMIT_ID_CHARS		26  /* ULID, Crockford base32 */
#define LIMIT_IDENTITY_BYTES	255 /* SPIFFE ID, DNS name or CN (RFC 5280 caps CN at 64) */
#define LIMIT_REQUEST_ID_BYTES	128
#define LIMIT_TRACEPARENT_BYTES 55 /* W3C Trace Context, version 00 */
#define LIMIT_NAME_BYTES	64 /* runtime, tenant, policy, role names */
#define LIMIT_DETAIL_BYTES	512 /* text a person reads */
#define LIMIT_PEER_BYTES	64 /* "[v6 address]:port" */

#endif
