/*
 * sandbox/layers/rlimits.h - layer: resource limits of each process, soft and hard alike.
 *
 * The backstop behind the cgroups, and on a host without cgroups the only one. After the uid
 * switch, so that RLIMIT_NPROC counts against the job's own user; after the capabilities are
 * gone, so that nothing raises a hard limit again; after Landlock, whose set-up opens more
 * descriptors than a job may. The warden may lower them later with prlimit(2).
 */
#ifndef SANDBOX_LAYERS_RLIMITS_H
#define SANDBOX_LAYERS_RLIMITS_H

#include <stdint.h>

#include "base/err.h"

struct rlimits {
	uint64_t address_space_bytes; /* 0: unlimited; node reserves more than it uses */
	uint64_t processes;	      /* of the job's user in the cell's user namespace */
	uint64_t open_files;
	uint64_t cpu_s;	     /* of one process; SIGXCPU, then SIGKILL a second later */
	uint64_t file_bytes; /* 0: none may be written; the workspace's size bounds it anyway */
};

/* Sets them, and no core file, no locked memory, no message queue, no real-time or raised
 * priority; reads every one back. */
nodiscard int rlimits_apply(const struct rlimits *limits, struct err *err);

#endif
