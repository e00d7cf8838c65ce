/*
 * sandbox/layers/privileges.h - layers: own uid, no capabilities, no_new_privs.
 *
 * After everything that needs a capability (namespaces, mounts, cgroups) and before Landlock
 * and seccomp, which need no_new_privs. Final: nothing undoes it, execve(2) neither.
 */
#ifndef SANDBOX_LAYERS_PRIVILEGES_H
#define SANDBOX_LAYERS_PRIVILEGES_H

#include <stdint.h>

#include "base/err.h"

/* Becomes `uid` and the group of the same number, real, effective, saved and file-system, and
 * reads them back. Capabilities stay: the uid left is not root of the cell's namespace. */
nodiscard int privileges_become(uint32_t uid, struct err *err);
nodiscard int privileges_become_cell_uid(struct err *err);

/* Securebits set and locked, bounding, ambient, inheritable, permitted and effective sets
 * empty, no_new_privs, not dumpable (no ptrace by a process of the same user); all read back.
 * layers_disabled: LAYER_NO_CAPABILITIES, LAYER_NO_NEW_PRIVILEGES in test builds. */
nodiscard int privileges_drop(uint32_t layers_disabled, struct err *err);

/* The same for a process that never had a capability, and so may change neither its secure bits
 * nor its bounding set; with no_new_privs neither can give it one. -EPERM if it has some. */
nodiscard int privileges_drop_without_rights(uint32_t layers_disabled, struct err *err);

#endif
