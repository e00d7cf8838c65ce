/*
 * sandbox/layers/workspace.h - the only place a job can write: one tmpfs per cell, whose folder
 * `files` is mounted on /workspace and `tmp` on /tmp.
 *
 * One file system for both, so that one size and one inode limit bound everything a job can
 * write; two folders, so that temporary files are not among the job's results. It belongs to
 * the cell's user namespace and vanishes with the cell's mount namespace.
 */
#ifndef SANDBOX_LAYERS_WORKSPACE_H
#define SANDBOX_LAYERS_WORKSPACE_H

#include <stdint.h>

#include "base/err.h"

/* Inside the cell, before the drop: mounts it, owned by `uid` (CELL_UID; the caller must be it,
 * for the folders are made as the caller), nosuid and nodev. ret_folder_fd: the folder
 * /workspace, readable. */
nodiscard int workspace_mount(uint32_t uid, uint64_t bytes, uint64_t inodes, int *ret_folder_fd,
			      struct err *err);

/* The folder /workspace alone, when it is mounted already. */
nodiscard int workspace_open(int *ret_folder_fd, struct err *err);

/* Test builds without a mount namespace: one workspace, for the maker of all cells to mount. */
nodiscard int workspace_mount_shared(uint64_t bytes, uint64_t inodes, struct err *err);

/* For the warden: changes the limits of a cell's workspace through its folder. The caller must
 * have CAP_SYS_ADMIN in U0 and a mount namespace owned by U0 (one unshare(CLONE_NEWNS) after
 * userns_enter()). -EINVAL if more than `bytes` or `inodes` are in use already. */
nodiscard int workspace_resize(int folder_fd, uint64_t bytes, uint64_t inodes, struct err *err);

#endif
