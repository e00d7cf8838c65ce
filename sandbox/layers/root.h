/*
 * sandbox/layers/root.h - layers: mount namespace and minimal read-only root.
 *
 * Called once by the cell maker (every cell inherits a copy of its mount namespace) and by a
 * zygote that does not join the cell maker's. Before privileges are dropped, because mounting
 * needs CAP_SYS_ADMIN in U0; after that namespaces below cannot undo a read-only or nodev flag,
 * because the kernel locks the flags of inherited mounts.
 *
 * The root is a small tmpfs, remounted read-only, with nothing but: the listed paths bound
 * read-only, nosuid, nodev; /bin /lib /lib64 /sbin as the symbolic links or folders that the
 * host has; /dev with null, zero, random, urandom and the usual links; a made-up /etc; the
 * empty folders /workspace and /tmp. No /proc, no /sys, no home, no run.
 */
#ifndef SANDBOX_LAYERS_ROOT_H
#define SANDBOX_LAYERS_ROOT_H

#include <stdint.h>

#include "base/err.h"

#define ROOT_WORKSPACE "/workspace"
#define ROOT_TMP       "/tmp"

/* Unshares the mount namespace, builds the root of the comma-separated absolute host `paths`,
 * pivots into it, detaches the old one and verifies the result. A listed path that does not
 * exist is an error. On failure the process is unusable and must exit. layers_disabled: the
 * bits LAYER_MINIMAL_ROOT (the host's whole root instead) in test builds. */
nodiscard int root_enter(const char *paths, uint32_t layers_disabled, struct err *err);

/* What root_enter() promises, checked from inside: read-only, no /proc, nothing listed in / but
 * what was put there. */
nodiscard int root_check(struct err *err);

#endif
