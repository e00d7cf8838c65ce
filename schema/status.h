/*
 * schema/status.h - closed lists that cross boundaries: execution statuses, problems, layers.
 */
#ifndef SCHEMA_STATUS_H
#define SCHEMA_STATUS_H

#include <stdint.h>

/* How an execution ended. X(symbol, JSON name, meaning). */
#define STATUS_LIST(X)                                                                             \
	X(SUCCEEDED, "succeeded", "the code ran to its end and exited with 0")                     \
	X(FAILED, "failed", "the code raised an error or exited with another number")              \
	X(REJECTED, "rejected", "policy refused the code; nothing ran")                            \
	X(TIMED_OUT, "timed_out", "wall or CPU time ran out")                                      \
	X(MEMORY_EXCEEDED, "memory_exceeded", "the job asked for more memory than its limit")      \
	X(OUTPUT_EXCEEDED, "output_exceeded", "the job printed more than its limit")               \
	X(KILLED, "killed", "a signal ended the job")                                              \
	X(CANCELLED, "cancelled", "the caller left or cancelled")                                  \
	X(INTERNAL_ERROR, "internal_error", "the service failed; the code is not to blame")

enum execution_status {
	STATUS_NONE = 0,
#define X(symbol, name, meaning) STATUS_##symbol,
	STATUS_LIST(X)
#undef X
	STATUS_MAX = STATUS_INTERNAL_ERROR
};

/* The JSON name, or "unknown". */
const char *status_name(uint8_t status);

/*
 * Why a request was refused (RFC 9457). X(symbol, code, HTTP status, title).
 * The `type` member of the document is "urn:casemate:problem:" followed by the code.
 */
#define PROBLEM_LIST(X)                                                                            \
	X(BAD_REQUEST, "bad_request", 400, "The request is not well-formed HTTP")                  \
	X(BAD_JSON, "bad_json", 400, "The body is not well-formed JSON")                           \
	X(UNAUTHENTICATED, "unauthenticated", 401, "No identity in the client certificate")        \
	X(FORBIDDEN, "forbidden", 403, "This identity may not do this")                            \
	X(NOT_FOUND, "not_found", 404, "There is nothing at this address")                         \
	X(METHOD_NOT_ALLOWED, "method_not_allowed", 405, "This address has other methods")         \
	X(NOT_ACCEPTABLE, "not_acceptable", 406, "No representation matches Accept")               \
	X(REQUEST_TIMEOUT, "request_timeout", 408, "The request took too long to arrive")          \
	X(LENGTH_REQUIRED, "length_required", 411, "A body needs Content-Length")                  \
	X(BODY_TOO_LARGE, "body_too_large", 413, "The body is larger than allowed")                \
	X(UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415, "The body has another type")      \
	X(INVALID, "invalid", 422, "The body does not match its schema")                           \
	X(ABOVE_CEILING, "above_ceiling", 422, "A limit is above the tenant's ceiling")            \
	X(UNKNOWN_RUNTIME, "unknown_runtime", 422, "This language is not installed")               \
	X(RATE_LIMITED, "rate_limited", 429, "The tenant's rate is used up")                       \
	X(TOO_MANY_CONCURRENT, "too_many_concurrent", 429, "The tenant has too many running")      \
	X(HEADERS_TOO_LARGE, "headers_too_large", 431, "The header section is too large")          \
	X(INTERNAL, "internal", 500, "The service failed")                                         \
	X(QUEUE_FULL, "queue_full", 503, "All workers are busy and the queue is full")             \
	X(QUEUE_TIMEOUT, "queue_timeout", 503, "No worker became free in time")                    \
	X(NOT_RECORDED, "not_recorded", 503, "The audit record cannot be written")                 \
	X(DRAINING, "draining", 503, "The service is shutting down")                               \
	X(UNAVAILABLE, "unavailable", 503, "A part of the service is restarting")                  \
	X(URI_TOO_LONG, "uri_too_long", 414, "The address is too long")                            \
	X(EXPECTATION_FAILED, "expectation_failed", 417, "Only 100-continue can be expected")      \
	X(NOT_IMPLEMENTED, "not_implemented", 501, "The service does not know how to do this")     \
	X(VERSION_NOT_SUPPORTED, "version_not_supported", 505, "Only HTTP/1.1 is spoken here")     \
	X(TOO_MUCH_HELD, "too_much_held", 429, "This caller's bodies or answers fill his share")   \
	X(RANGE_NOT_SATISFIABLE, "range_not_satisfiable", 416, "The range lies outside of the file")\
	X(PRECONDITION_FAILED, "precondition_failed", 412, "If-Match names another file than this")

enum problem {
	PROBLEM_NONE = 0,
#define X(symbol, code, http, title) PROBLEM_##symbol,
	PROBLEM_LIST(X)
#undef X
	PROBLEM_MAX = PROBLEM_PRECONDITION_FAILED
};

const char *problem_code(uint8_t problem);
const char *problem_title(uint8_t problem);
unsigned problem_http(uint8_t problem);

/* Layers of the wall, as bits; `isolation.layers` lists those that really hold. */
#define LAYER_LIST(X)                                                                              \
	X(USER_NAMESPACE, "user_namespace")                                                        \
	X(OWN_UID, "own_uid")                                                                      \
	X(MOUNT_NAMESPACE, "mount_namespace")                                                      \
	X(MINIMAL_ROOT, "minimal_root")                                                            \
	X(PID_NAMESPACE, "pid_namespace")                                                          \
	X(NETWORK_NAMESPACE, "network_namespace")                                                  \
	X(IPC_NAMESPACE, "ipc_namespace")                                                          \
	X(UTS_NAMESPACE, "uts_namespace")                                                          \
	X(CGROUP_NAMESPACE, "cgroup_namespace")                                                    \
	X(TIME_NAMESPACE, "time_namespace")                                                        \
	X(CGROUP_MEMORY, "cgroup_memory")                                                          \
	X(CGROUP_PIDS, "cgroup_pids")                                                              \
	X(CGROUP_CPU, "cgroup_cpu")                                                                \
	X(RLIMITS, "rlimits")                                                                      \
	X(NO_CAPABILITIES, "no_capabilities")                                                      \
	X(NO_NEW_PRIVILEGES, "no_new_privileges")                                                  \
	X(LANDLOCK, "landlock")                                                                    \
	X(SECCOMP, "seccomp")                                                                      \
	X(DENIAL_EVENTS, "denial_events")                                                          \
	X(CORE_SCHEDULING, "core_scheduling")

enum layer_index {
#define X(symbol, name) LAYER_INDEX_##symbol,
	LAYER_LIST(X)
#undef X
	LAYER_COUNT
};

enum layer {
#define X(symbol, name) LAYER_##symbol = 1 << LAYER_INDEX_##symbol,
	LAYER_LIST(X)
#undef X
	LAYER_ALL = (1 << LAYER_COUNT) - 1
};

/* JSON name of bit `index` (0 to LAYER_COUNT - 1). */
const char *layer_name(unsigned index);

/* What a cell gives; a level without cells has none of it. */
#define LAYERS_OF_CELL                                                                    \
	((uint32_t)(LAYER_USER_NAMESPACE | LAYER_MOUNT_NAMESPACE | LAYER_MINIMAL_ROOT |   \
		    LAYER_PID_NAMESPACE | LAYER_NETWORK_NAMESPACE | LAYER_IPC_NAMESPACE | \
		    LAYER_UTS_NAMESPACE | LAYER_CGROUP_NAMESPACE | LAYER_TIME_NAMESPACE))

/* What depends on the rights the service was started with, and so is required on demand only.
 */
#define LAYERS_OF_RIGHTS \
	((uint32_t)(LAYER_OWN_UID | LAYER_CGROUP_MEMORY | LAYER_CGROUP_PIDS | LAYER_CGROUP_CPU))

/* And what depends on the machine. */
#define LAYERS_ON_DEMAND (LAYERS_OF_RIGHTS | (uint32_t)LAYER_CORE_SCHEDULING)

/* The level of the wall (isolation.level), chosen by configuration and never by circumstance.
 * X(symbol, JSON name, layers that a worker of that level can have). */
#define LEVEL_LIST(X)                        \
	X(FULL, "full", (uint32_t)LAYER_ALL) \
	X(LANDLOCK, "landlock", (uint32_t)LAYER_ALL & ~(LAYERS_OF_CELL | LAYER_DENIAL_EVENTS))

enum level {
#define X(symbol, name, layers) LEVEL_##symbol,
	LEVEL_LIST(X)
#undef X
		LEVEL_COUNT,
	LEVEL_MAX = LEVEL_COUNT - 1
};

/* A number above LEVEL_MAX has no layer and the name "none". */
uint32_t level_layers(unsigned level);
const char *level_name(unsigned level);

/* The number of a level's name; LEVEL_COUNT when there is no such level, or no name. */
unsigned level_number(const char *name);

/* The level of a worker, told from its layers, because no worker of level full lacks its mount
 * namespace, not even in a test build; LEVEL_COUNT when it has none, as where nothing ran. */
unsigned level_of_layers(uint32_t layers);

/* What is not promised in a worker with these layers, for `isolation.not_promised`;
 * docs/THREATS says what each name means. X(JSON name, any of these layers would give it). */
#define GAP_LIST(X)                                                                 \
	X("workspace_limit", LAYER_MOUNT_NAMESPACE)                                 \
	X("hidden_file_names", LAYER_MINIMAL_ROOT)                                  \
	X("hidden_processes", LAYER_PID_NAMESPACE)                                  \
	X("hidden_host_name", LAYER_UTS_NAMESPACE)                                  \
	X("hidden_uptime", LAYER_TIME_NAMESPACE)                                    \
	X("thread_limit", LAYER_USER_NAMESPACE | LAYER_OWN_UID | LAYER_CGROUP_PIDS) \
	X("job_memory", LAYER_CGROUP_MEMORY)                                        \
	X("processor_share", LAYER_CGROUP_CPU)                                      \
	X("user_of_its_own", LAYER_OWN_UID)                                         \
	X("denial_events", LAYER_DENIAL_EVENTS)                                     \
	X("core_of_its_own", LAYER_CORE_SCHEDULING)

/* The gaps of these layers, by index; NULL behind the last. */
const char *gap_name(uint32_t layers, unsigned index);

/* Roles, as bits. */
enum role { ROLE_EXECUTOR = 1, ROLE_AUDITOR = 2, ROLE_OPERATOR = 4, ROLE_ALL = 7 };

/* Which name of the certificate is the identity. */
enum identity_kind { IDENTITY_SPIFFE = 1, IDENTITY_DNS, IDENTITY_CN, IDENTITY_MAX = IDENTITY_CN };

/* Which limit ended a job with STATUS_TIMED_OUT, MEMORY_EXCEEDED, OUTPUT_EXCEEDED, or (the
 * workspace, where it is counted and not a file system with a size) KILLED. */
enum limit_hit {
	LIMIT_HIT_NONE,
	LIMIT_HIT_WALL,
	LIMIT_HIT_CPU,
	LIMIT_HIT_MEMORY,
	LIMIT_HIT_STDOUT,
	LIMIT_HIT_STDERR,
	LIMIT_HIT_WORKSPACE,
	LIMIT_HIT_MAX = LIMIT_HIT_WORKSPACE
};

#endif
