/*
 * schema/wire/warden_worker.h - inside the sandbox folder: the warden, its cell makers, the
 * zygotes and the workers.
 *
 * A *cell* is a ready set of namespaces with a tiny init (pid 1) in it, made by casemate-cell
 * from a process image that never held a job. A *worker* is the runtime's process inside the
 * cell, forked by the zygote straight into the cell's namespaces and locked down before it says
 * WORKER_READY. One worker runs one job; then the cell is killed and forgotten.
 */
#ifndef SCHEMA_WIRE_WARDEN_WORKER_H
#define SCHEMA_WIRE_WARDEN_WORKER_H

#include "base/wire_gen.h"
#include "schema/limits.h"
#include "schema/status.h"
#include "schema/wire/setup.h"

enum warden_worker_message {
	/* warden -> cell maker */
	CELL_SETUP = 500, /* fds: 1, memfd with the seccomp program of a cell's init; once, first */
	CELL_MAKE, /* fds: 2, lifeline (read end of a pipe; its hang-up ends the cell), network
		    * namespace of the slot */
	/* cell maker -> warden */
	CELL_READY,  /* the root stands; CELL_FAILED with id 0 and exit otherwise */
	CELL_MADE,   /* fds: 2, pidfd of the cell's init, folder of the workspace */
	CELL_FAILED, /* that slot has no cell; nothing of it is left */
	/* warden -> zygote */
	ZYGOTE_SETUP,  /* fds: 1, memfd with the seccomp program (struct sock_filter[]) */
	ZYGOTE_FORK,   /* fds: 4 + n: the place (pidfd of the cell's init; at a level without
			* cells the worker's folder), worker channel, stdout, stderr (write ends),
			* then n cgroup.procs files to join by writing "0" */
	/* zygote -> warden */
	ZYGOTE_READY,
	ZYGOTE_FORKED, /* fds: 1, pidfd of the worker, a child of the warden (CLONE_PARENT) */
	ZYGOTE_FAILED,
	/* worker -> warden, over the worker channel */
	WORKER_READY,
	WORKER_FAILED,
	WORKER_REPORT, /* the last thing a worker says; body: u8 of enum worker_report bits, u8
			* exit status, then the report's JSON bytes, at most LIMIT_REPORT_BYTES;
			* untrusted, at most one is read */
	/* warden -> worker */
	WORKER_JOB /* fds: 1 or 2: payload bundle, [stdin memfd] */
};

/*
 * First byte of WORKER_REPORT. The job may lie here: it only chooses among its own ends.
 *
 * A worker that says DONE has run everything there was to run and waits to be killed. The
 * kernel needs a millisecond to take a large process apart, and the exit status that it would
 * tell after that is one the job chooses anyway (_exit), so the answer does not wait for it.
 */
enum worker_report {
	WORKER_REPORT_MEMORY = 1, /* the error is the runtime's out-of-memory error */
	WORKER_REPORT_DONE = 2,	  /* the exit status counts; otherwise the kernel will tell */
};
#define WORKER_REPORT_HEADER_BYTES 2

/* root_paths: see sandbox/layers/root.h. layers_disabled: test builds only. */
#define CELL_SETUP_FIELDS(F)                                                                       \
	F(STR, root_paths, 1, 4096)                                                                \
	F(U32, layers_disabled, 0, LAYER_ALL)
WIRE_DECLARE(cell_setup, CELL_SETUP_FIELDS)

#define CELL_READY_FIELDS WIRE_EMPTY
WIRE_DECLARE(cell_ready, CELL_READY_FIELDS)

/* The message id is the slot in all of CELL_MA*, CELL_FAILED and ZYGOTE_FORK*. uid is the one the
 * worker gets as seen from the warden's user namespace; 0: single mapping (not started as root). */
#define CELL_MAKE_FIELDS(F)                                                                        \
	F(U32, uid, 0, UINT32_MAX)                                                                 \
	F(U64, workspace_bytes, LIMIT_WORKSPACE_BYTES_MIN, LIMIT_WORKSPACE_BYTES_MAX)              \
	F(U64, workspace_inodes, 16, 1u << 20)
WIRE_DECLARE(cell_make, CELL_MAKE_FIELDS)

#define CELL_MADE_FIELDS(F) F(U32, layers, 0, LAYER_ALL)
WIRE_DECLARE(cell_made, CELL_MADE_FIELDS)

/* step: which operation failed, e.g. "mount tmpfs on /workspace". */
#define STEP_FAILED_FIELDS(F)                                                                      \
	F(STR, step, 1, LIMIT_DETAIL_BYTES)                                                        \
	F(U32, error, 0, 4096)
WIRE_DECLARE(step_failed, STEP_FAILED_FIELDS)

#define ZYGOTE_SETUP_FIELDS(F)                                                                     \
	F(STR, preload, 0, 4096)                                                                   \
	F(STR, plan, 0, SETUP_PLAN_BYTES_MAX) /* as in SETUP_RUNTIME */                            \
	F(U32, landlock_abi_min, 0, 64)                                                            \
	F(U8, tells_denials, 0, 1) /* the program notifies: workers hand out a listener */         \
	F(U32, layers_disabled, 0, LAYER_ALL)                                                      \
	F(U8, level, 0, LEVEL_MAX)                                                                 \
	F(STR, root_paths, 1, 4096) /* what a worker may read where no root of its own hides it */
WIRE_DECLARE(zygote_setup, ZYGOTE_SETUP_FIELDS)

#define ZYGOTE_READY_FIELDS(F)                                                                     \
	F(STR, version, 1, 64)                                                                     \
	F(STR, modules, 0, 4096)                                                                   \
	F(U64, address_space_bytes, 0, UINT64_MAX) /* of the idle zygote: base for RLIMIT_AS */
WIRE_DECLARE(zygote_ready, ZYGOTE_READY_FIELDS)

/* Hard ceilings for rlimits; the job's own, lower values follow by prlimit(2). */
#define ZYGOTE_FORK_FIELDS(F)                                                                      \
	F(U32, cgroup_files, 0, 8)                                                                 \
	F(U32, uid, 0, UINT32_MAX) /* host uid, at a level without cells; 0: stay */               \
	F(U64, address_space_bytes, 0, UINT64_MAX)                                                 \
	F(U64, processes, 1, UINT32_MAX)                                                           \
	F(U64, open_files, 1, UINT32_MAX)                                                          \
	F(U64, cpu_s, 1, UINT32_MAX)                                                               \
	F(U64, file_bytes, 0, UINT64_MAX)
WIRE_DECLARE(zygote_fork, ZYGOTE_FORK_FIELDS)

#define ZYGOTE_FORKED_FIELDS(F) F(U32, pid, 1, UINT32_MAX) /* in the warden's pid namespace */
WIRE_DECLARE(zygote_forked, ZYGOTE_FORKED_FIELDS)

/* listener_fd: where the worker holds the listener of its seccomp filter; 0: there is none. The
 * warden takes a copy (pidfd_getfd(2)). The worker then makes a call that is denied, and the
 * warden, who sees and refuses it, has the proof that the filter holds; the worker closes its
 * own before it asks for a job. */
#define WORKER_READY_FIELDS(F)                                                                     \
	F(U32, layers, 0, LAYER_ALL)                                                               \
	F(U32, landlock_abi, 0, 64)                                                                \
	F(U32, listener_fd, 0, 4096)
WIRE_DECLARE(worker_ready, WORKER_READY_FIELDS)

#define WORKER_JOB_FIELDS(F) F(U8, has_stdin, 0, 1)
WIRE_DECLARE(worker_job, WORKER_JOB_FIELDS)

#endif
