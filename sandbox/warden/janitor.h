/*
 * sandbox/warden/janitor.h - a process that outlives the warden by a moment, to remove the
 * instance's control groups, whose parent the warden itself may not write any more, with the
 * processes in them, and then the folder of the workspaces, if there is one.
 *
 * It holds the end of a pipe and the folders, reads nothing, and after its one task is over.
 */
#ifndef SANDBOX_WARDEN_JANITOR_H
#define SANDBOX_WARDEN_JANITOR_H

#include "sandbox/layers/cgroup.h"
#include "sandbox/layers/workspace_folder.h"

/* Forks it with the rights of this moment, and closes the warden's copy of what it needs. */
nodiscard int janitor_start(struct cgroup_instance *instance, struct workspaces *workspaces,
			    struct err *err);

#endif
