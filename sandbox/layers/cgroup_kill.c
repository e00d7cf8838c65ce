/*
 * sandbox/layers/cgroup_kill.c - the end of everything in a group, where no pid namespace does
 * it.
 *
 * Version 2 has one file for that. In version 1 no process may be born any more, then each is
 * killed by a handle: its number alone might, between reading and killing, become another's.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "sandbox/layers/cgroup.h"
#include "sandbox/layers/cgroup_file.h"
#include "schema/limits.h"

/* The most that a group can hold, and one number a line. */
#define MEMBERS_MAX (LIMIT_PROCESSES_MAX + 1)
#define TEXT_BYTES  (MEMBERS_MAX * 12)

struct members {
	pid_t pids[MEMBERS_MAX];
	int handles[MEMBERS_MAX];
	size_t count;
};

static void read_members(int folder, struct members *members)
{
	static char text[TEXT_BYTES];
	char *at = text;
	char *end;

	members->count = 0;
	if (cgroup_read(folder, "cgroup.procs", text, sizeof(text)) < 0)
		return;
	for (; *at != '\0' && members->count < MEMBERS_MAX; at = end) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			break;
		/* 0 stands for a process outside of our pid namespace. */
		if (pid > 1)
			members->pids[members->count++] = (pid_t)pid;
	}
}

static bool is_member(const struct members *members, pid_t pid)
{
	for (size_t i = 0; i < members->count; i++)
		if (members->pids[i] == pid)
			return true;
	return false;
}

/* A handle taken before a reading that still has the number is of a process in the group: were
 * it of another, the one in the group would have to be dead and its number not in use. */
static void kill_members(int folder)
{
	static struct members before, now;

	read_members(folder, &before);
	for (size_t i = 0; i < before.count; i++)
		before.handles[i] = (int)syscall(SYS_pidfd_open, before.pids[i], 0);
	read_members(folder, &now);
	for (size_t i = 0; i < before.count; i++) {
		if (before.handles[i] >= 0 && is_member(&now, before.pids[i]))
			(void)syscall(SYS_pidfd_send_signal, before.handles[i], SIGKILL, NULL,
				      0);
		fd_drop(&before.handles[i]);
	}
}

void cgroup_group_kill(const struct cgroup_instance *instance, struct cgroup_group *group)
{
	int folder = group->folders[instance->version == 1 ? CGROUP_PIDS : CGROUP_MEMORY];

	if (!group->is_made || folder < 0)
		return;
	/* So that the limit is written again by whoever prepares the group for the next. */
	group->limits.processes = 0;
	if (cgroup_write(folder, "pids.max", "0", NULL) == 0 &&
	    cgroup_write(folder, "cgroup.kill", "1", NULL) == 0)
		return;
	kill_members(folder);
}
