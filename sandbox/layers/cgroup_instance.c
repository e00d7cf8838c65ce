/*
 * sandbox/layers/cgroup_instance.c - the group of the whole instance: made while the warden
 * still has the rights it was started with, used after it has only those inside its user
 * namespace.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "sandbox/layers/cgroup.h"
#include "sandbox/layers/cgroup_file.h"
#include "sandbox/layers/cgroup_instance.h"

/* Of the kernel's usual 100 (version 2) and 1024 (version 1): when the processors are short,
 * the service that answers comes before all jobs together. */
#define JOBS_WEIGHT_2 "50"
#define JOBS_WEIGHT_1 "512"

#define LEFTOVER_WAIT_US  2000000u /* a killed process in I/O needs time to go */
#define LEFTOVER_PAUSE_NS 2000000  /* between two tries */

const char *const cgroup_controllers[CGROUP_PLACES] = {
	[CGROUP_FREEZER] = "freezer", [CGROUP_MEMORY] = "memory",   [CGROUP_PIDS] = "pids",
	[CGROUP_CPU] = "cpu",	      [CGROUP_CPUACCT] = "cpuacct",
};

const uint32_t cgroup_place_layers[CGROUP_PLACES] = {
	[CGROUP_MEMORY] = LAYER_CGROUP_MEMORY,
	[CGROUP_PIDS] = LAYER_CGROUP_PIDS,
	[CGROUP_CPU] = LAYER_CGROUP_CPU,
};

void cgroup_missing_add(struct cgroup_instance *instance, const char *name, const char *why)
{
	size_t used = strlen(instance->missing);

	(void)snprintf(instance->missing + used, sizeof(instance->missing) - used, "%s%s: %s",
		       used > 0 ? "; " : "", name, why);
}

static void kill_members(int folder)
{
	char text[16384];
	char *at = text;

	/* Version 2 kills the whole subtree at once; the list below is for version 1. */
	if (cgroup_write(folder, "cgroup.kill", "1", NULL) == 0)
		return;
	err_ignore(cgroup_write(folder, "freezer.state", "THAWED", NULL),
		   "the folder of another controller has no such file");
	if (cgroup_read(folder, "cgroup.procs", text, sizeof(text)) < 0)
		return;
	while (*at != '\0') {
		char *end;
		long pid = strtol(at, &end, 10);

		/* 0 stands for a process outside our pid namespace. */
		if (pid > 1)
			(void)kill((pid_t)pid, SIGKILL);
		at = *end != '\0' ? end + 1 : end;
		if (end == at)
			break;
	}
}

int cgroup_folder_remove(int parent, const char *name)
{
	uint64_t deadline = clock_mono_us() + LEFTOVER_WAIT_US;
	struct timespec pause = {.tv_nsec = LEFTOVER_PAUSE_NS};

	while (unlinkat(parent, name, AT_REMOVEDIR) != 0) {
		own_fd folder = -1;

		if (errno == ENOENT)
			return 0;
		if (errno != EBUSY || clock_mono_us() > deadline)
			return -errno;
		folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (folder >= 0)
			kill_members(folder);
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

/* Removes every group below `folder`. */
static void remove_children(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;

	if (listing == NULL) {
		fd_drop(&copy);
		return;
	}
	while ((entry = readdir(listing)) != NULL)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			cgroup_tree_remove(folder, entry->d_name);
	(void)closedir(listing);
}

void cgroup_tree_remove(int parent, const char *name)
{
	own_fd folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (folder >= 0)
		remove_children(folder);
	err_ignore(cgroup_folder_remove(parent, name), "the next start tries again");
}

/* Gives the folder and what decides who may join and who may divide it to the sandbox's root;
 * the limits of the group itself stay with the owner it was made by. */
static int give_to(int folder, uint32_t uid, struct err *err)
{
	static const char *const files[] = {"", "cgroup.procs", "tasks", "cgroup.threads",
					    "cgroup.subtree_control"};

	if (geteuid() != 0 || uid == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		if (fchownat(folder, files[i], uid, uid,
			     files[i][0] == '\0' ? AT_EMPTY_PATH : 0) != 0 &&
		    errno != ENOENT)
			return err_errno(err, errno, "give the group's \"%s\" to uid %u",
					 files[i], uid);
	return 0;
}

int cgroup_folder_make(int parent, const char *name, uint32_t uid, int *ret_fd, struct err *err)
{
	own_fd folder = -1;
	int status;

	if (mkdirat(parent, name, 0755) != 0 && errno != EEXIST)
		return err_errno(err, errno, "mkdir %s", name);
	folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0)
		return err_errno(err, errno, "open %s", name);
	status = give_to(folder, uid, err);
	if (status == 0)
		*ret_fd = fd_take(&folder);
	return status;
}

/* True for the folder of an instance of our name whose warden is dead: the name ends in its
 * pid. A pid that lives on as something else than a warden is not it. */
static bool is_leftover(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);
	char path[64];
	char text[64];
	char *end;
	long pid;

	if (strncmp(name, prefix, length) != 0)
		return false;
	pid = strtol(name + length, &end, 10);
	if (end == name + length || *end != '\0' || pid <= 0 || pid == (long)getpid())
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	return cgroup_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	       strcmp(text, "casemate-warden\n") != 0;
}

static void remove_leftovers(int parent, const char *prefix)
{
	int copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;

	if (listing == NULL) {
		fd_drop(&copy);
		return;
	}
	while ((entry = readdir(listing)) != NULL)
		if (is_leftover(entry->d_name, prefix))
			cgroup_tree_remove(parent, entry->d_name);
	(void)closedir(listing);
}

void cgroup_place_open(const char *path, const char *prefix, uint32_t uid, int place,
		       struct cgroup_instance *ret)
{
	struct err err = {0};
	own_fd parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (parent < 0) {
		cgroup_missing_add(ret, cgroup_controllers[place], strerror(errno));
		return;
	}
	remove_leftovers(parent, prefix);
	if (cgroup_folder_make(parent, ret->folder, uid, &ret->folders[place], &err) < 0)
		cgroup_missing_add(ret, cgroup_controllers[place], err.text);
	else
		ret->parents[place] = fd_take(&parent);
}

/* The layer means weight, quota and yielding; a kernel can be built without the second, and one
 * before 5.15 has not got the third. */
void cgroup_weigh(struct cgroup_instance *instance)
{
	bool is_first = instance->version == 1;
	int folder = instance->folders[is_first ? CGROUP_CPU : CGROUP_MEMORY];
	struct err err = {0};
	int status;

	if ((instance->layers & LAYER_CGROUP_CPU) == 0)
		return;
	status = is_first ? cgroup_write(folder, "cpu.shares", JOBS_WEIGHT_1, &err)
			  : cgroup_write(folder, "cpu.weight", JOBS_WEIGHT_2, &err);
	if (status == 0 &&
	    faccessat(folder, is_first ? "cpu.cfs_quota_us" : "cpu.max", F_OK, 0) != 0)
		status = err_errno(&err, errno, "quotas (CONFIG_CFS_BANDWIDTH)");
	if (status == 0 && faccessat(folder, "cpu.idle", F_OK, 0) != 0)
		status = err_errno(&err, errno, "cpu.idle (Linux 5.15)");
	if (status == 0)
		return;
	instance->layers &= ~(uint32_t)LAYER_CGROUP_CPU;
	cgroup_missing_add(instance, cgroup_controllers[CGROUP_CPU], err.text);
}

static void open_version_1(const struct cgroup_host *host, const char *prefix, uint32_t uid,
			   struct cgroup_instance *ret)
{
	for (int place = 0; place < CGROUP_PLACES; place++) {
		if (host->path[place][0] == '\0')
			cgroup_missing_add(ret, cgroup_controllers[place], "no such hierarchy");
		else
			cgroup_place_open(host->path[place], prefix, uid, place, ret);
		if (ret->folders[place] >= 0)
			ret->layers |= cgroup_place_layers[place];
	}
	if (ret->folders[CGROUP_MEMORY] >= 0)
		ret->has_swap_limit = faccessat(ret->folders[CGROUP_MEMORY],
						"memory.memsw.limit_in_bytes", F_OK, 0) == 0;
	cgroup_weigh(ret);
}

int cgroup_instance_open(const struct cgroup_host *host, const char *name, uint32_t owner_uid,
			 struct cgroup_instance *ret, struct err *err)
{
	struct cgroup_instance instance = {.version = host->version,
					   .layers_off = host->layers_off,
					   .supervisor = getppid(),
					   .parents = CGROUP_NO_FDS,
					   .folders = CGROUP_NO_FDS,
					   .home = -1};
	char prefix[CGROUP_NAME_MAX];

	if (strchr(name, '/') != NULL || name[0] == '.')
		return err_set(err, EINVAL, "instance \"%s\" is not the name of a folder",
			       name);
	(void)snprintf(prefix, sizeof(prefix), "%s-", name);
	(void)snprintf(instance.folder, sizeof(instance.folder), "%s-%d", name, (int)getpid());
	(void)snprintf(instance.family, sizeof(instance.family), "%s.service", name);
	if (host->version == 1)
		open_version_1(host, prefix, owner_uid, &instance);
	else if (host->version == 2)
		cgroup_version_2_open(host, prefix, owner_uid, &instance);
	else
		cgroup_missing_add(&instance, "cgroup", "no hierarchy is mounted");
	if (instance.layers == 0) {
		cgroup_instance_remove(&instance);
		instance.version = 0;
	}
	*ret = instance;
	return 0;
}

void cgroup_instance_close_parents(struct cgroup_instance *instance)
{
	for (int place = 0; place < CGROUP_PLACES; place++)
		fd_drop(&instance->parents[place]);
	fd_drop(&instance->home);
}

static bool has_version_2(const struct cgroup_instance *instance)
{
	return instance->version == 2 && instance->parents[CGROUP_MEMORY] >= 0;
}

void cgroup_instance_empty(struct cgroup_instance *instance)
{
	if (has_version_2(instance))
		cgroup_version_2_leave(instance);
	for (int place = 0; place < CGROUP_PLACES; place++)
		if (instance->parents[place] >= 0)
			cgroup_tree_remove(instance->parents[place], instance->folder);
}

bool cgroup_instance_restore(const struct cgroup_instance *instance)
{
	return !has_version_2(instance) || cgroup_version_2_restore(instance);
}

void cgroup_instance_remove(struct cgroup_instance *instance)
{
	cgroup_instance_empty(instance);
	(void)cgroup_instance_restore(instance);
	for (int place = 0; place < CGROUP_PLACES; place++)
		fd_drop(&instance->folders[place]);
	cgroup_instance_close_parents(instance);
	instance->layers = 0;
}
