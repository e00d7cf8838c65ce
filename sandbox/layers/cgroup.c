/*
 * sandbox/layers/cgroup.c - the group of one slot: limits, usage, end.
 *
 * Joining: a fresh process of one thread writes "0" to a file opened by the warden. In version
 * 1 that file is `tasks`, not `cgroup.procs`: for a single thread that moves itself the kernel
 * skips the lock that stops every fork on the machine (measured: 45 against 150 us a
 * hierarchy).
 */
#include "sandbox/layers/cgroup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/layers/cgroup_file.h"

/* What may stay charged to a recycled group: kernel objects of dead workers. Beyond this the
 * next job would pay for the last one, so the group is made anew. */
#define RECYCLE_BYTES_MAX (1u << 20)

/* What the kernel gives a group of version 1 and 2, and what one that must end soon has. */
#define USUAL_WEIGHT_1 1024u
#define USUAL_WEIGHT_2 100u
#define FIRST_TIMES    10u

void cgroup_group_init(struct cgroup_group *group)
{
	*group = (struct cgroup_group){
		.folders = CGROUP_NO_FDS,
		.join = CGROUP_NO_FDS,
		.memory_peak = -1,
		.memory_events = -1,
		.pids_now = -1,
		.pids_peak = -1,
		.pids_events = -1,
		.cpu_time = -1,
	};
}

/* Where the group keeps what version 1 keeps in `place`. */
static int folder_of(const struct cgroup_instance *instance, const struct cgroup_group *group,
		     enum cgroup_place place)
{
	return group->folders[instance->version == 1 ? place : CGROUP_MEMORY];
}

static int open_file(int folder, const char *file, int flags)
{
	return folder >= 0 ? openat(folder, file, flags | O_CLOEXEC) : -1;
}

static int place_make(const struct cgroup_instance *instance, struct cgroup_group *group,
		      int place, struct err *err)
{
	const char *join = instance->version == 1 ? "tasks" : "cgroup.procs";
	int parent = instance->folders[place];

	if (mkdirat(parent, group->name, 0755) != 0 && errno != EEXIST)
		return err_errno(err, errno, "make control group %s", group->name);
	group->folders[place] =
		openat(parent, group->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	group->join[place] = open_file(group->folders[place], join, O_WRONLY);
	if (group->join[place] < 0)
		return err_errno(err, errno, "open %s of control group %s", join, group->name);
	return 0;
}

static void place_remove(const struct cgroup_instance *instance, struct cgroup_group *group,
			 int place)
{
	if (group->folders[place] < 0)
		return;
	fd_drop(&group->join[place]);
	fd_drop(&group->folders[place]);
	err_ignore(cgroup_folder_remove(instance->folders[place], group->name),
		   "the next start of the service removes it");
}

static void close_pids_counters(struct cgroup_group *group)
{
	fd_drop(&group->pids_now);
	fd_drop(&group->pids_peak);
	fd_drop(&group->pids_events);
}

static void open_pids_counters(const struct cgroup_instance *instance,
			       struct cgroup_group *group)
{
	int folder = folder_of(instance, group, CGROUP_PIDS);

	close_pids_counters(group);
	group->pids_now = open_file(folder, "pids.current", O_RDONLY);
	group->pids_peak = open_file(folder, "pids.peak", O_RDONLY);
	group->pids_events = open_file(folder, "pids.events", O_RDONLY);
}

static void open_counters(const struct cgroup_instance *instance, struct cgroup_group *group)
{
	bool is_first = instance->version == 1;
	int memory = group->folders[CGROUP_MEMORY];

	open_pids_counters(instance, group);
	fd_drop(&group->memory_peak);
	fd_drop(&group->memory_events);
	fd_drop(&group->cpu_time);
	group->memory_peak =
		open_file(memory, is_first ? "memory.max_usage_in_bytes" : "memory.peak",
			  is_first ? O_RDWR : O_RDONLY);
	group->memory_events =
		open_file(memory, is_first ? "memory.oom_control" : "memory.events", O_RDONLY);
	group->cpu_time =
		is_first ? open_file(group->folders[CGROUP_CPUACCT], "cpuacct.usage", O_RDONLY)
			 : open_file(memory, "cpu.stat", O_RDONLY);
}

/* Memory and memory-plus-swap limits must never cross on the way. */
static int limit_memory_1(const struct cgroup_instance *instance, struct cgroup_group *group,
			  uint64_t bytes, struct err *err)
{
	static const char *const files[2] = {"memory.limit_in_bytes",
					     "memory.memsw.limit_in_bytes"};
	bool is_raised = bytes > group->limits.memory_bytes && group->limits.memory_bytes != 0;
	int folder = group->folders[CGROUP_MEMORY];
	int status = 0;

	if (!instance->has_swap_limit)
		return cgroup_write_u64(folder, files[0], bytes, err);
	for (int i = 0; i < 2 && status == 0; i++)
		status = cgroup_write_u64(folder, files[is_raised ? 1 - i : i], bytes, err);
	return status;
}

static int limit_memory(const struct cgroup_instance *instance, struct cgroup_group *group,
			uint64_t bytes, struct err *err)
{
	int folder = group->folders[CGROUP_MEMORY];
	int status;

	if ((instance->layers & LAYER_CGROUP_MEMORY) == 0 ||
	    bytes == group->limits.memory_bytes)
		return 0;
	if (instance->version == 1) {
		status = limit_memory_1(instance, group, bytes, err);
	} else {
		status = cgroup_write_u64(folder, "memory.max", bytes, err);
		/* Absent without swap accounting; then there is no swap to limit either. */
		if (status == 0 && faccessat(folder, "memory.swap.max", F_OK, 0) == 0)
			status = cgroup_write(folder, "memory.swap.max", "0", err);
		/* One process out of memory ends the whole job, not a random part of it. */
		if (status == 0)
			status = cgroup_write(folder, "memory.oom.group", "1", err);
	}
	if (status == 0)
		group->limits.memory_bytes = bytes;
	return status;
}

static int limit_pids(const struct cgroup_instance *instance, struct cgroup_group *group,
		      uint64_t processes, struct err *err)
{
	int folder = folder_of(instance, group, CGROUP_PIDS);
	int status;

	if ((instance->layers & LAYER_CGROUP_PIDS) == 0 || processes == group->limits.processes)
		return 0;
	status = cgroup_write_u64(folder, "pids.max", processes, err);
	if (status == 0)
		group->limits.processes = processes;
	return status;
}

/* A share of each tenth of a second, which is the kernel's own default period. */
#define CPU_PERIOD_US	   100000
#define CPU_US_PER_PERCENT (CPU_PERIOD_US / 100)

static int limit_cpu(const struct cgroup_instance *instance, struct cgroup_group *group,
		     uint32_t percent, struct err *err)
{
	uint64_t quota_us = (uint64_t)percent * CPU_US_PER_PERCENT;
	char text[48];
	int status;

	if ((instance->layers & LAYER_CGROUP_CPU) == 0 || percent == group->limits.cpu_percent)
		return 0;
	if (instance->version == 1) {
		(void)snprintf(text, sizeof(text), "%" PRId64,
			       percent == 0 ? -1 : (int64_t)quota_us);
		status =
			cgroup_write(group->folders[CGROUP_CPU], "cpu.cfs_quota_us", text, err);
	} else {
		if (percent == 0)
			(void)snprintf(text, sizeof(text), "max %d", CPU_PERIOD_US);
		else
			(void)snprintf(text, sizeof(text), "%" PRIu64 " %d", quota_us,
				       CPU_PERIOD_US);
		status = cgroup_write(group->folders[CGROUP_MEMORY], "cpu.max", text, err);
	}
	if (status == 0)
		group->limits.cpu_percent = percent;
	return status;
}

int cgroup_group_stand(const struct cgroup_instance *instance, struct cgroup_group *group,
		       enum cgroup_standing standing, struct err *err)
{
	bool is_first = instance->version == 1;
	int folder = folder_of(instance, group, CGROUP_CPU);
	int status;

	if (standing == group->standing)
		return 0;
	/* A group that yields has no weight, and one that stops yielding has the usual one. */
	status = cgroup_write(folder, "cpu.idle", standing == CGROUP_YIELDING ? "1" : "0", err);
	if (status == 0 && standing != CGROUP_YIELDING)
		status = cgroup_write_u64(folder, is_first ? "cpu.shares" : "cpu.weight",
					  (standing == CGROUP_FIRST ? FIRST_TIMES : 1) *
						  (is_first ? USUAL_WEIGHT_1 : USUAL_WEIGHT_2),
					  err);
	if (status == 0)
		group->standing = standing;
	return status;
}

bool cgroup_can_freeze(const struct cgroup_instance *instance)
{
	return instance->version == 2 || instance->folders[CGROUP_FREEZER] >= 0;
}

int cgroup_group_freeze(const struct cgroup_instance *instance, struct cgroup_group *group,
			bool is_frozen, struct err *err)
{
	int folder = folder_of(instance, group, CGROUP_FREEZER);
	int status = instance->version == 1 ? cgroup_write(folder, "freezer.state",
							   is_frozen ? "FROZEN" : "THAWED", err)
					    : cgroup_write(folder, "cgroup.freeze",
							   is_frozen ? "1" : "0", err);

	if (status == 0)
		group->is_frozen = is_frozen;
	return status;
}

int cgroup_group_limit(const struct cgroup_instance *instance, struct cgroup_group *group,
		       const struct cgroup_limits *limits, struct err *err)
{
	int status = limit_memory(instance, group, limits->memory_bytes, err);

	if (status == 0)
		status = limit_pids(instance, group, limits->processes, err);
	return status < 0 ? status : limit_cpu(instance, group, limits->cpu_percent, err);
}

/* The counter of refusals has a base; the peak of processes can only start anew with its
 * folder. Where no worker had company it stands where the next one brings it by joining. */
static bool recycle_pids(const struct cgroup_instance *instance, struct cgroup_group *group)
{
	struct err err;

	if (group->folders[CGROUP_PIDS] < 0 || cgroup_group_pids_peak(group) <= 1)
		return true;
	close_pids_counters(group);
	place_remove(instance, group, CGROUP_PIDS);
	if (place_make(instance, group, CGROUP_PIDS, &err) < 0)
		return false;
	open_pids_counters(instance, group);
	group->limits.processes = 0;
	return true;
}

/* Version 1: the counters of memory can be reset, those of cpu have a base. False: the group
 * must be made anew as a whole. */
static bool recycle(const struct cgroup_instance *instance, struct cgroup_group *group)
{
	if (instance->version != 1)
		return false;
	if (group->memory_peak >= 0 && pwrite(group->memory_peak, "0", 1, 0) != 1)
		return false;
	/* Nobody is in it, and a peak that was reset is what is used now. */
	group->memory_before = cgroup_number(group->memory_peak, "");
	if (group->memory_before > RECYCLE_BYTES_MAX)
		return false;
	return recycle_pids(instance, group);
}

static int make(const struct cgroup_instance *instance, struct cgroup_group *group,
		struct err *err)
{
	for (int place = 0; place < CGROUP_PLACES; place++) {
		int status;

		if (instance->folders[place] < 0)
			continue;
		status = place_make(instance, group, place, err);
		if (status < 0)
			return status;
	}
	group->is_made = true;
	open_counters(instance, group);
	group->memory_before = cgroup_number(group->memory_peak, "");
	return 0;
}

int cgroup_group_prepare(const struct cgroup_instance *instance, struct cgroup_group *group,
			 const char *name, const struct cgroup_limits *limits, struct err *err)
{
	int status = 0;

	if (instance->version == 0)
		return 0;
	if (!group->is_made || !recycle(instance, group)) {
		cgroup_group_remove(instance, group);
		(void)snprintf(group->name, sizeof(group->name), "%s", name);
		status = make(instance, group, err);
	}
	if (status == 0)
		status = cgroup_group_stand(instance, group, CGROUP_USUAL, err);
	if (status == 0)
		status = cgroup_group_limit(instance, group, limits, err);
	if (status < 0) {
		cgroup_group_remove(instance, group);
		return status;
	}
	group->oom_kills_before = cgroup_number(group->memory_events, "oom_kill");
	group->pids_refused_before = cgroup_number(group->pids_events, "max");
	group->cpu_us_before += cgroup_group_cpu_us(group);
	return 0;
}

unsigned cgroup_group_join_files(const struct cgroup_group *group, int ret[CGROUP_PLACES])
{
	unsigned count = 0;

	for (int place = 0; place < CGROUP_PLACES; place++)
		if (group->join[place] >= 0)
			ret[count++] = group->join[place];
	return count;
}

void cgroup_group_remove(const struct cgroup_instance *instance, struct cgroup_group *group)
{
	fd_drop(&group->memory_peak);
	fd_drop(&group->memory_events);
	close_pids_counters(group);
	fd_drop(&group->cpu_time);
	for (int place = 0; place < CGROUP_PLACES; place++)
		place_remove(instance, group, place);
	cgroup_group_init(group);
}

uint64_t cgroup_group_memory_peak(const struct cgroup_group *group)
{
	uint64_t peak = cgroup_number(group->memory_peak, "");

	/* What a job before has left is no business of this one's. */
	return peak > group->memory_before ? peak - group->memory_before : 0;
}

uint64_t cgroup_group_cpu_us(const struct cgroup_group *group)
{
	/* cpuacct.usage is one number of nanoseconds; cpu.stat has lines in microseconds. */
	bool is_first = group->folders[CGROUP_CPUACCT] >= 0;
	uint64_t now = is_first ? cgroup_number(group->cpu_time, "") / 1000
				: cgroup_number(group->cpu_time, "usage_usec");

	return now > group->cpu_us_before ? now - group->cpu_us_before : 0;
}

uint32_t cgroup_group_pids_peak(const struct cgroup_group *group)
{
	return (uint32_t)cgroup_number(group->pids_peak, "");
}

uint64_t cgroup_group_oom_kills(const struct cgroup_group *group)
{
	return cgroup_number(group->memory_events, "oom_kill") - group->oom_kills_before;
}

uint64_t cgroup_group_pids_refused(const struct cgroup_group *group)
{
	/* Looked at only when the limit was reached, which is seldom: a limit of whoever
	 * started the service refuses too, and is not the job's. */
	if (group->pids_peak >= 0 && cgroup_group_pids_peak(group) < group->limits.processes)
		return 0;
	return cgroup_number(group->pids_events, "max") - group->pids_refused_before;
}

int cgroup_group_tasks(const struct cgroup_group *group)
{
	char text[32];
	ssize_t got =
		group->pids_now >= 0 ? pread(group->pids_now, text, sizeof(text) - 1, 0) : -1;

	if (got <= 0)
		return -1;
	text[got] = '\0';
	return (int)strtol(text, NULL, 10);
}

bool cgroup_group_is_empty(const struct cgroup_group *group)
{
	return cgroup_group_tasks(group) == 0;
}

bool cgroup_group_is_single(const struct cgroup_group *group)
{
	return cgroup_group_tasks(group) == 1;
}
