/*
 * sandbox/layers/lockdown.h - the worker's layers in their order, so that the order is written
 * down once.
 *
 * The zygote joins the cell's pid namespace and clones; the clone calls lockdown_join() for the
 * cell's other namespaces, joins the cgroups, does the runtime's own after-fork work, and then
 * lockdown_finish(): uid, privileges, Landlock, rlimits, seccomp. Both fail closed: after an
 * error the process must _exit() without having read a job.
 *
 * The level decides which layers are tried at all (schema/status.h). Without cells the place of
 * a worker is a folder (workspace_folder.h), which lockdown_enter_folder() enters instead.
 */
#ifndef SANDBOX_LAYERS_LOCKDOWN_H
#define SANDBOX_LAYERS_LOCKDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sandbox/layers/rlimits.h"

/* 0 if nothing is switched off; -EPERM for any other value unless this is a test build. There
 * every layer can go; without NO_NEW_PRIVILEGES the kernel refuses
 * Landlock and seccomp too, so those must be off with it. */
nodiscard int lockdown_check_disabled(uint32_t layers_disabled, struct err *err);

/* The CLONE_NEW* flags of a cell, without those switched off. */
uint64_t lockdown_clone_flags(uint32_t layers_disabled);

/* The bits (enum layer) that these namespaces give. */
uint32_t lockdown_layers(uint64_t clone_flags);

/* One setns(2) into all namespaces of the cell whose init is `cell_pidfd`, and chdir to
 * /workspace. ret_layers gets the namespace bits (enum layer) that now hold. */
nodiscard int lockdown_join(int cell_pidfd, uint32_t layers_disabled, uint32_t *ret_layers,
			    struct err *err);

struct lockdown {
	struct rlimits limits;
	unsigned landlock_abi_min;
	int seccomp_memfd;  /* from seccomp_program_compile_covered(); borrowed */
	bool tells_denials; /* it is a telling one: SECCOMP_TELL */
	uint32_t layers_disabled;
	int listener_fd; /* out: of a telling program; otherwise 0 */
	uint8_t level;
	/* Without cells: */
	uint32_t uid;		/* the worker's own; 0: it shares the service's */
	const char *root_paths; /* what it may read; borrowed */
};

/* True when workers live in cells. */
bool lockdown_has_cell(const struct lockdown *lockdown);

/* Enters the `files` of a workspace_folder_make(). Before the uid changes. */
nodiscard int lockdown_enter_folder(int folder_fd, struct err *err);

/* The change of user alone, for what must be done between it and the rest; finish repeats it.
 */
nodiscard int lockdown_become_user(const struct lockdown *lockdown, struct err *err);

/* ret_layers gets the bits of OWN_UID, RLIMITS, NO_CAPABILITIES, NO_NEW_PRIVILEGES, LANDLOCK,
 * SECCOMP and CORE_SCHEDULING that now hold. (OWN_UID: the job's user is CELL_UID, never a
 * privileged one; whether the host uid differs from job to job is known to the warden, which
 * clears the bit if not.) */
nodiscard int lockdown_finish(struct lockdown *lockdown, uint32_t *ret_layers,
			      unsigned *ret_landlock_abi, struct err *err);

/* After WORKER_READY, where denials are told: makes a call that the warden must refuse, and
 * returns when it has; then closes the listener, of which the warden has a copy, so that no job
 * ever holds it. -EPERM: somebody answered otherwise. */
nodiscard int lockdown_prove_telling(struct lockdown *lockdown, struct err *err);

#endif
