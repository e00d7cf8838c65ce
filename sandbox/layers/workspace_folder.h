/*
 * sandbox/layers/workspace_folder.h - where workers live that have no cell, and so no mount of
 * their own: a folder each, with a folder `files` (the workspace) and a folder `tmp` in it.
 *
 * All of them lie in one folder of the service instance, in the folder the operator names
 * (isolation.workspaces). Landlock keeps each worker in its own; the size is counted
 * (workspace_folder_is_over()), not limited by the kernel.
 */
#ifndef SANDBOX_LAYERS_WORKSPACE_FOLDER_H
#define SANDBOX_LAYERS_WORKSPACE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define WORKSPACE_FILES "files"
#define WORKSPACE_TMP	"tmp"

/* The instance's folder; -1: none. */
struct workspaces {
	int parent_fd; /* owned: the operator's folder */
	int folder_fd; /* owned: ours in it */
	char name[112];
};

/* Makes "<instance>-<our pid>" in `parent_fd`, given to `owner_uid` (0: stay the owner), after
 * removing what dead instances of the same name left. Somebody else's folder of that name is an
 * error. */
nodiscard int workspaces_make(int parent_fd, const char *instance, uint32_t owner_uid,
			      struct workspaces *ret, struct err *err);

/* Removes it with all that is in it; waits a second for dying processes that still write. */
void workspaces_remove(struct workspaces *workspaces);

/* Makes the worker's folder, given to `uid` (0: stay the owner; else the caller's group can
 * still enter it, which a worker does before it becomes `uid`). Both descriptors are the
 * caller's: the folder itself and its `files`. */
nodiscard int workspace_folder_make(const struct workspaces *workspaces, const char *name,
				    uint32_t uid, int *ret_folder_fd, int *ret_files_fd,
				    struct err *err);

/* Removes it; no process may be at work in it any more. Not there is fine. */
nodiscard int workspace_folder_remove(const struct workspaces *workspaces, const char *name,
				      struct err *err);

/* True when more than `bytes` or `inodes` are in use in the worker's folder, or when it is
 * nested too deeply to be counted. May be asked while the job runs: it follows nothing. */
bool workspace_folder_is_over(const struct workspaces *workspaces, const char *name,
			      uint64_t bytes, uint64_t inodes);

#endif
