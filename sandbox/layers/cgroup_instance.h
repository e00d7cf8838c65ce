/*
 * sandbox/layers/cgroup_instance.h - what the making of the instance's group has in common for
 * both versions, and version 2's own part; inside the cgroup layer only.
 */
#ifndef SANDBOX_LAYERS_CGROUP_INSTANCE_H
#define SANDBOX_LAYERS_CGROUP_INSTANCE_H

#include "sandbox/layers/cgroup.h"

extern const char *const cgroup_controllers[CGROUP_PLACES];
extern const uint32_t cgroup_place_layers[CGROUP_PLACES];

/* Notes for the operator why a controller is not used. */
void cgroup_missing_add(struct cgroup_instance *instance, const char *name, const char *why);

/* Makes a folder that belongs to the sandbox's root, or opens it. */
nodiscard int cgroup_folder_make(int parent, const char *name, uint32_t uid, int *ret_fd,
				 struct err *err);

/* Removes a group and all below it, killing what is left in them. Three levels are all we ever
 * make. What stays after two seconds is left for the next start. */
void cgroup_tree_remove(int parent, const char *name);

/* The instance's folder below `path`, after removing those of dead instances. */
void cgroup_place_open(const char *path, const char *prefix, uint32_t uid, int place,
		       struct cgroup_instance *ret);

/* Sets the weight of all jobs together; without it, or without quotas, the layer is missing. */
void cgroup_weigh(struct cgroup_instance *instance);

void cgroup_version_2_open(const struct cgroup_host *host, const char *prefix, uint32_t uid,
			   struct cgroup_instance *ret);

/* Moves the caller out of the instance, so that it can be removed. */
void cgroup_version_2_leave(const struct cgroup_instance *instance);

/* As cgroup_instance_restore(). */
bool cgroup_version_2_restore(const struct cgroup_instance *instance);

#endif
