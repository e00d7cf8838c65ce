/*
 * sandbox/layers/landlock.h - layer: Landlock, a second wall around files, TCP and signals.
 *
 * After the drop (needs no_new_privs, and would forbid the mounts made before), before seccomp
 * (which does not allow the Landlock calls). It holds even if a mount flag or a namespace
 * fails.
 *
 * Guarantees: read and execute on the root's system folders; read, write, but no execute on
 * /workspace and /tmp; write to /dev/null; nothing else. ABI 4: no TCP. ABI 5: no device ioctl.
 * ABI 6: no signal and no abstract socket to outside of the job.
 */
#ifndef SANDBOX_LAYERS_LANDLOCK_H
#define SANDBOX_LAYERS_LANDLOCK_H

#include "base/err.h"

/* For a process inside a root made by root_enter(). Uses the best ABI the kernel has, refuses
 * one below `abi_min` (at least 1) with both numbers and the remedy. */
nodiscard int landlock_worker(unsigned abi_min, unsigned *ret_abi, struct err *err);

/* The same for a process without a root of its own, whose working folder is the `files` of a
 * workspace_folder_make(): of the host it reads what landlock_rules_add_system() names. */
nodiscard int landlock_worker_on_host(const char *root_paths, unsigned abi_min,
				      unsigned *ret_abi, struct err *err);

#endif
