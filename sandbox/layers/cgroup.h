/*
 * sandbox/layers/cgroup.h - control groups, version 1 and 2 behind one interface. Used by the
 * warden only.
 *
 * Version 1 has one hierarchy a controller, each with its own folder; version 2 has one folder
 * for all. The *instance* group lies below the group we run in and belongs to the root of the
 * sandbox's user namespace; each slot has one *group* below it, which its workers join.
 *
 * A controller that is missing or not delegated to us is left out, and its LAYER_CGROUP_* bit
 * with it: the caller compares the bits with what the operator requires.
 */
#ifndef SANDBOX_LAYERS_CGROUP_H
#define SANDBOX_LAYERS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Version 2 keeps everything in CGROUP_MEMORY; its other places stay empty. The freezer comes
 * first, because version 1 kills no process that is frozen. */
enum cgroup_place {
	CGROUP_FREEZER,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_PLACES
};

/* No descriptor in any place. */
#define CGROUP_NO_FDS              \
	{                          \
		-1, -1, -1, -1, -1 \
	}
_Static_assert(CGROUP_PLACES == 5, "as many as CGROUP_NO_FDS has");

#define CGROUP_PATH_MAX                                                      \
	1024 /* bytes of a folder's path; deep container nests use about 400 \
	      */

/* The groups this process runs in; an empty path: no such controller. */
struct cgroup_host {
	unsigned version;    /* 0: none usable */
	uint32_t layers_off; /* version 2: controllers not to be enabled (test builds) */
	char path[CGROUP_PLACES][CGROUP_PATH_MAX];
};

/* From the text of /proc/self/cgroup and /proc/self/mountinfo. Never fails: what it does not
 * understand it does not offer. */
void cgroup_host_parse(const char *cgroup, const char *mountinfo, struct cgroup_host *ret);

/* Whether a list of the kernel's (`length` bytes, parted by commas or blanks) has the name;
 * "cpu" is none of "cpuset memory". */
bool cgroup_list_has(const char *list, size_t length, const char *name);

nodiscard int cgroup_host_probe(struct cgroup_host *ret, struct err *err);

#define CGROUP_NAME_MAX 112 /* bytes: instance (64), pid or ".service" */

struct cgroup_instance {
	unsigned version;
	uint32_t layers;     /* LAYER_CGROUP_* that can be applied */
	uint32_t layers_off; /* as in the host */
	bool has_swap_limit; /* memory and swap together can be limited */
	char folder[CGROUP_NAME_MAX];
	char family[CGROUP_NAME_MAX]; /* version 2: where the other processes were moved to */
	pid_t supervisor;	      /* version 2: the parent of who opened this */
	int parents[CGROUP_PLACES];   /* owned; for cgroup_instance_remove() only, like the next
				       */
	int home;		      /* version 2: where we came from, if not from parents */
	int folders[CGROUP_PLACES];   /* owned; -1: not usable */
	char missing[256];	      /* why a controller is not usable, for the operator */
};

/*
 * Makes the instance group, "<name>-<our pid>", in every usable place, after removing
 * what dead instances of the same name left behind, processes included. As root it is given to
 * `owner_uid` (a host uid), so that it can be used when the rights outside the user namespace
 * are gone.
 */
nodiscard int cgroup_instance_open(const struct cgroup_host *host, const char *name,
				   uint32_t owner_uid, struct cgroup_instance *ret,
				   struct err *err);

/* Gives up the right to remove the instance itself; a janitor has a copy. */
void cgroup_instance_close_parents(struct cgroup_instance *instance);

/* Removes the instance with everything in it, killing what is left. Only with the rights it was
 * opened with. */
void cgroup_instance_empty(struct cgroup_instance *instance);

/* Leaves the group that the service was started in as it was found. False: not yet, others of
 * the service are there. Version 1 changes nothing in that group. */
bool cgroup_instance_restore(const struct cgroup_instance *instance);

/* Both, and lets go of the instance. What cannot be restored now stays as it is. */
void cgroup_instance_remove(struct cgroup_instance *instance);

struct cgroup_limits {
	uint64_t memory_bytes;
	uint64_t processes;
	uint32_t cpu_percent; /* of one processor; 0: as much as there is */
};

/* Of a group among its neighbours, when processors are short. */
enum cgroup_standing {
	CGROUP_USUAL,
	CGROUP_YIELDING, /* gets what no other group wants (cpu.idle, Linux 5.15) */
	CGROUP_FIRST	 /* ten times the usual weight */
};

struct cgroup_group {
	char name[16];
	bool is_made;
	int folders[CGROUP_PLACES]; /* owned; -1: not made */
	int join[CGROUP_PLACES];    /* owned; a fresh process writes "0" into each to join */
	int memory_peak;	    /* owned, like the five below; -1: not measured */
	int memory_events;
	int pids_now;
	int pids_peak;
	int pids_events;
	int cpu_time;
	struct cgroup_limits limits; /* as last written */
	enum cgroup_standing standing;
	bool is_frozen;
	uint64_t oom_kills_before; /* by earlier workers of the same group */
	uint64_t pids_refused_before;
	uint64_t cpu_us_before;
	uint64_t memory_before; /* bytes: pages of system files that those were the first to
				   read */
};

/* An empty group: nothing made, everything -1. */
void cgroup_group_init(struct cgroup_group *group);

/* Makes or refreshes the group, so that its counters start at zero and its limits hold. */
nodiscard int cgroup_group_prepare(const struct cgroup_instance *instance,
				   struct cgroup_group *group, const char *name,
				   const struct cgroup_limits *limits, struct err *err);

/* The files to hand to a process that is to join; returns how many. Borrowed. */
unsigned cgroup_group_join_files(const struct cgroup_group *group, int ret[CGROUP_PLACES]);

/* Writes only what differs from the limits in force. */
nodiscard int cgroup_group_limit(const struct cgroup_instance *instance,
				 struct cgroup_group *group, const struct cgroup_limits *limits,
				 struct err *err);

/* Only with LAYER_CGROUP_CPU; a group that is prepared has the usual standing again. */
nodiscard int cgroup_group_stand(const struct cgroup_instance *instance,
				 struct cgroup_group *group, enum cgroup_standing standing,
				 struct err *err);

/* Whether cgroup_group_freeze() can work here. */
bool cgroup_can_freeze(const struct cgroup_instance *instance);

/* Every process of the group halts when it next leaves the kernel, where it is left to finish
 * what it has begun; none of them sees it. To be thawed before it is killed. */
nodiscard int cgroup_group_freeze(const struct cgroup_instance *instance,
				  struct cgroup_group *group, bool is_frozen, struct err *err);

/* Removes it, killing what is left in it; legal when not made. */
void cgroup_group_remove(const struct cgroup_instance *instance, struct cgroup_group *group);

/* Kills every process in it; none is born in it until it is prepared again. For a job that no
 * pid namespace holds together; to be repeated until cgroup_group_is_empty(), because version 1
 * has no one call for it. Legal when not made. */
void cgroup_group_kill(const struct cgroup_instance *instance, struct cgroup_group *group);

/* Each returns 0 when it is not measured; the counters are of the present worker. */
uint64_t cgroup_group_memory_peak(const struct cgroup_group *group);
uint64_t cgroup_group_cpu_us(const struct cgroup_group *group);
uint32_t cgroup_group_pids_peak(const struct cgroup_group *group);
uint64_t cgroup_group_oom_kills(const struct cgroup_group *group);
/* Processes and threads that the limit refused. */
uint64_t cgroup_group_pids_refused(const struct cgroup_group *group);

/* Processes and threads in the group; -1 when the kernel does not say. */
int cgroup_group_tasks(const struct cgroup_group *group);

/* True only when the kernel says that no process is left in the group. */
bool cgroup_group_is_empty(const struct cgroup_group *group);

/* True when exactly one task is left, which is the worker with a single thread. */
bool cgroup_group_is_single(const struct cgroup_group *group);

#endif
