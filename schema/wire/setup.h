/*
 * schema/wire/setup.h - what the supervisor says to its children, and they to it.
 *
 * Every child is started with this channel as descriptor 3 and nothing else but 0, 1, 2. The
 * order is: HELLO, the child's own configuration messages, PEER once per neighbour, COMMIT. The
 * child then confines itself, proves it, and answers READY; before READY it reads no untrusted
 * byte. After a reload the configuration messages and COMMIT come again, without HELLO; a child
 * applies them at COMMIT or keeps what it had and answers FAILED. Loss of this channel means the
 * supervisor is gone: the child exits at once, its own children with it.
 */
#ifndef SCHEMA_WIRE_SETUP_H
#define SCHEMA_WIRE_SETUP_H

#include "base/wire_gen.h"
#include "schema/limits.h"
#include "schema/status.h"
#include "schema/wire/runtime_limits.h"

#define SETUP_FD 3 /* where a child finds its channel */

enum setup_message {
	/* supervisor -> child */
	SETUP_HELLO = 1,
	SETUP_PEER,	  /* fds: 1, this child's end of a channel to `role` */
	SETUP_COMMIT,
	SETUP_DRAIN,	  /* finish what runs, take nothing new, then DRAINED and exit 0 */
	SETUP_FRONT_CONFIG, /* fds: 1, the listening socket */
	SETUP_FRONT_KEYS,   /* fds: 3 or 4, memfds: server chain, server key, client CA, [CRL] */
	SETUP_GATE_CONFIG,  /* fds: 2, the operations listener, openapi.json memfd */
	SETUP_LEDGER_CONFIG, /* fds: 2, the state folder (O_DIRECTORY), the configured policies as JSON
				(memfd), of which the ledger records the hash */
	SETUP_TENANT,
	SETUP_PRINCIPAL,
	SETUP_VALIDATOR_CONFIG, /* fds: 2, the folder of schema files (O_DIRECTORY), beside which rules
				   and policies lie; the configured policies as JSON (memfd) */
	SETUP_WARDEN_CONFIG, /* fds: at a level without cells 1, the folder for workspaces */
	SETUP_RUNTIME, /* fds: 1, the runtime's folder (O_DIRECTORY) */
	/* child -> supervisor */
	SETUP_READY,
	SETUP_FAILED,
	SETUP_DRAINED,
	SETUP_PEER_LOST /* id: of the PEER whose channel ended, whoever closed it */
};

/* Processes that can be peers of one another. */
enum setup_role {
	SETUP_ROLE_FRONT = 1,
	SETUP_ROLE_GATE,
	SETUP_ROLE_LEDGER,
	SETUP_ROLE_VALIDATOR,
	SETUP_ROLE_WARDEN,
	SETUP_ROLE_MAX = SETUP_ROLE_WARDEN
};

/* host_uid 0: stay who you are (the service was not started as root). */
#define SETUP_HELLO_FIELDS(F)                                                                      \
	F(STR, build_id, 1, 64)                                                                    \
	F(U32, host_uid, 0, UINT32_MAX)                                                            \
	F(U32, landlock_abi_min, 1, 64)                                                            \
	F(U8, log_level, 0, 3)
WIRE_DECLARE(setup_hello, SETUP_HELLO_FIELDS)

/* The message id numbers the channel, never twice; 0: its loss need not be told. */
#define SETUP_PEER_FIELDS(F) F(U8, role, 1, SETUP_ROLE_MAX)
WIRE_DECLARE(setup_peer, SETUP_PEER_FIELDS)

#define SETUP_COMMIT_FIELDS WIRE_EMPTY
WIRE_DECLARE(setup_commit, SETUP_COMMIT_FIELDS)

#define SETUP_DRAIN_FIELDS(F) F(U32, deadline_ms, 0, 3600000)
WIRE_DECLARE(setup_drain, SETUP_DRAIN_FIELDS)

#define SETUP_FRONT_CONFIG_FIELDS(F)                                                               \
	F(U8, tls12_allowed, 0, 1)                                                                 \
	F(U32, connections_max, 1, 65536)                                                          \
	F(U32, handshake_ms, 100, 600000)                                                          \
	F(U32, handshakes_per_address_max, 1, 65536)
WIRE_DECLARE(setup_front_config, SETUP_FRONT_CONFIG_FIELDS)

#define SETUP_FRONT_KEYS_FIELDS(F) F(U8, has_crl, 0, 1)
WIRE_DECLARE(setup_front_keys, SETUP_FRONT_KEYS_FIELDS)

/* header_ms and body_ms bound the whole header, the whole body; idle_ms a kept connection. */
#define SETUP_GATE_CONFIG_FIELDS(F)                                                                \
	F(U32, connections_max, 1, 65536)                                                          \
	F(U32, header_ms, 100, 600000)                                                             \
	F(U32, body_ms, 100, 600000)                                                               \
	F(U32, idle_ms, 100, 86400000)                                                             \
	F(U64, body_bytes_max, 1024, LIMIT_BODY_BYTES)
WIRE_DECLARE(setup_gate_config, SETUP_GATE_CONFIG_FIELDS)

#define SETUP_LEDGER_CONFIG_FIELDS(F)                                                              \
	F(STR, database, 1, 255) /* file name in the state folder */                               \
	F(U32, retain_answers_s, 0, 31536000)                                                      \
	F(U64, retain_answers_bytes, 0, 1ull << 40)                                                \
	F(U32, retain_files_s, 0, 31536000)                                                        \
	F(U64, retain_files_bytes, 0, 1ull << 40)                                                  \
	F(U32, queue_ms, 0, 600000)
WIRE_DECLARE(setup_ledger_config, SETUP_LEDGER_CONFIG_FIELDS)

/* Ceilings a request may not pass. rate_per_minute 0: no rate limit. */
#define SETUP_TENANT_FIELDS(F)                                                                     \
	F(STR, name, 1, LIMIT_NAME_BYTES)                                                          \
	F(U32, rate_per_minute, 0, 10000000)                                                       \
	F(U32, concurrency_max, 1, 100000)                                                         \
	F(U64, wall_ms_max, LIMIT_WALL_MS_MIN, LIMIT_WALL_MS_MAX)                                  \
	F(U64, cpu_ms_max, LIMIT_CPU_MS_MIN, LIMIT_CPU_MS_MAX)                                     \
	F(U64, memory_bytes_max, LIMIT_MEMORY_BYTES_MIN, LIMIT_MEMORY_BYTES_MAX)                   \
	F(U64, output_bytes_max, LIMIT_OUTPUT_BYTES_MIN, LIMIT_OUTPUT_BYTES_MAX)                   \
	F(U64, processes_max, LIMIT_PROCESSES_MIN, LIMIT_PROCESSES_MAX)                            \
	F(U64, open_files_max, LIMIT_OPEN_FILES_MIN, LIMIT_OPEN_FILES_MAX)                         \
	F(U64, workspace_bytes_max, LIMIT_WORKSPACE_BYTES_MIN, LIMIT_WORKSPACE_BYTES_MAX)
WIRE_DECLARE(setup_tenant, SETUP_TENANT_FIELDS)

/* `pattern`: an exact identity, or one whose single label or path segment is "*". */
#define SETUP_PRINCIPAL_FIELDS(F)                                                                  \
	F(U8, identity_kind, 1, IDENTITY_MAX)                                                      \
	F(STR, pattern, 1, LIMIT_IDENTITY_BYTES)                                                   \
	F(STR, tenant, 1, LIMIT_NAME_BYTES)                                                        \
	F(STR, policy, 1, LIMIT_NAME_BYTES)                                                        \
	F(U8, roles, 1, ROLE_ALL)
WIRE_DECLARE(setup_principal, SETUP_PRINCIPAL_FIELDS)

#define SETUP_VALIDATOR_CONFIG_FIELDS WIRE_EMPTY
WIRE_DECLARE(setup_validator_config, SETUP_VALIDATOR_CONFIG_FIELDS)

/* uid_first 0: not started as root. cgroup: name of our own group, below the one we run in. */
#define SETUP_WARDEN_CONFIG_FIELDS(F)                                                              \
	F(STR, instance, 1, 64)                                                                    \
	F(U32, uid_first, 0, UINT32_MAX)                                                           \
	F(U32, uid_count, 0, 65536)                                                                \
	F(U32, workers_max, 1, 1024) /* ready and busy together */                                 \
	F(U32, queue_max, 0, 100000)                                                               \
	F(U32, job_cpu_percent, 0, 102400) /* of one processor; 0: no quota */                     \
	F(U64, memory_bytes_max, LIMIT_MEMORY_BYTES_MIN, LIMIT_MEMORY_BYTES_MAX)                   \
	F(U64, open_files_max, LIMIT_OPEN_FILES_MIN, LIMIT_OPEN_FILES_MAX)                         \
	F(U64, processes_max, LIMIT_PROCESSES_MIN, LIMIT_PROCESSES_MAX)                            \
	F(U32, layers_required, 0, LAYER_ALL) /* a worker without one of them is not used */       \
	F(U32, layers_disabled, 0, LAYER_ALL) /* test builds only; refused otherwise */            \
	F(U8, level, 0, LEVEL_MAX)
WIRE_DECLARE(setup_warden_config, SETUP_WARDEN_CONFIG_FIELDS)

/* How a worker runs a job. */
enum runtime_start {
	RUNTIME_FORK,  /* by itself: it is a fork of the warm interpreter */
	RUNTIME_EXEC,  /* it becomes the program when the job comes */
	RUNTIME_AHEAD, /* it has started the program before the job comes */
	RUNTIME_SHELL, /* likewise; that starts itself anew for a job with variables */
	RUNTIME_START_MAX = RUNTIME_SHELL
};

/* plan: for a zygote that starts other programs, see sandbox/runtimes/launch/plan.h. Its records
 * end with a byte that no text of a configuration has. */
#define SETUP_PLAN_BYTES_MAX  28672
#define SETUP_PLAN_RECORD_END '\x1e'

/* The runtime.json of one runtime, as far as the warden needs it. */
#define SETUP_RUNTIME_FIELDS(F)                                                                    \
	F(STR, name, 1, LIMIT_NAME_BYTES)                                                          \
	F(U8, start, 0, RUNTIME_START_MAX)                                                         \
	F(STR, plan, 0, SETUP_PLAN_BYTES_MAX)                                                      \
	F(STR, zygote, 1, 255)	  /* binary next to the warden's own, e.g. casemate-python */       \
	F(STR, preload, 0, 4096)  /* modules, comma separated; those not installed are skipped */  \
	F(STR, root_paths, 1, 4096) /* bound read-only into the root, comma separated */           \
	F(STR, seccomp, 1, LIMIT_NAME_BYTES) /* list of the job's calls: sandbox/layers/seccomp.h */ \
	F(U32, pool_low, 0, 1024)                                                                  \
	F(U32, pool_high, 1, 1024)                                                                 \
	F(U32, compile_wall_ms, 0, LIMIT_WALL_MS_MAX) /* of a step before the run: on top of the */ \
	F(U32, compile_cpu_ms, 0, LIMIT_CPU_MS_MAX)   /* job's own limits, which are the run's */  \
	RUNTIME_LIMIT_FIELDS(F)                                                                    \
	F(U8, is_named, 0, 1) /* the configuration asks for it: without it nothing starts */       \
	F(STR, missing, 0, LIMIT_DETAIL_BYTES) /* why it is left out; empty: it is not */
WIRE_DECLARE(setup_runtime, SETUP_RUNTIME_FIELDS)

#define SETUP_READY_FIELDS(F)                                                                      \
	F(U32, landlock_abi, 0, 64)                                                                \
	F(STR, detail, 0, LIMIT_DETAIL_BYTES)
WIRE_DECLARE(setup_ready, SETUP_READY_FIELDS)

/* Fatal before READY; after it, the refused half of a reload. */
#define SETUP_FAILED_FIELDS(F) F(STR, detail, 1, LIMIT_DETAIL_BYTES)
WIRE_DECLARE(setup_failed, SETUP_FAILED_FIELDS)

#define SETUP_DRAINED_FIELDS WIRE_EMPTY
WIRE_DECLARE(setup_drained, SETUP_DRAINED_FIELDS)

/* Two live processes can lose their channel: one of them broke the protocol, or stopped reading.
 * The ledger tells of its neighbours and the gate of the front: of each two, the more trusted. */
#define SETUP_PEER_LOST_FIELDS WIRE_EMPTY
WIRE_DECLARE(setup_peer_lost, SETUP_PEER_LOST_FIELDS)

#endif
