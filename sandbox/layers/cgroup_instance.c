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

#define LAYERS_CGROUP	  (LAYER_CGROUP_MEMORY | LAYER_CGROUP_PIDS | LAYER_CGROUP_CPU)
#define LEFTOVER_WAIT_US  2000000u /* a killed process in I/O needs time to go */
#define LEFTOVER_PAUSE_NS 2000000  /* between two tries */

static const char *const controllers[CGROUP_PLACES] = {
	[CGROUP_MEMORY] = "memory",
	[CGROUP_PIDS] = "pids",
	[CGROUP_CPU] = "cpu",
	[CGROUP_CPUACCT] = "cpuacct",
};

static const uint32_t place_layers[CGROUP_PLACES] = {
	[CGROUP_MEMORY] = LAYER_CGROUP_MEMORY,
	[CGROUP_PIDS] = LAYER_CGROUP_PIDS,
	[CGROUP_CPU] = LAYER_CGROUP_CPU,
};

static void missing_add(struct cgroup_instance *instance, const char *name, const char *why)
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

/* Removes every group below `folder`. Two levels are all we ever make. */
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
			err_ignore(cgroup_folder_remove(folder, entry->d_name),
				   "the caller notices when it cannot use the folder");
	(void)closedir(listing);
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

static int folder_make(int parent, const char *name, uint32_t uid, int *ret_fd, struct err *err)
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

static void remove_one(int parent, const char *name)
{
	own_fd folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (folder >= 0)
		remove_children(folder);
	err_ignore(cgroup_folder_remove(parent, name), "the next start tries again");
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
			remove_one(parent, entry->d_name);
	(void)closedir(listing);
}

static void open_place(const char *path, const char *prefix, uint32_t uid, int place,
		       struct cgroup_instance *ret)
{
	struct err err = {0};
	own_fd parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (parent < 0) {
		missing_add(ret, controllers[place], strerror(errno));
		return;
	}
	remove_leftovers(parent, prefix);
	if (folder_make(parent, ret->folder, uid, &ret->folders[place], &err) < 0)
		missing_add(ret, controllers[place], err.text);
	else
		ret->parents[place] = fd_take(&parent);
}

static void open_version_1(const struct cgroup_host *host, const char *prefix, uint32_t uid,
			   struct cgroup_instance *ret)
{
	for (int place = 0; place < CGROUP_PLACES; place++) {
		if (host->path[place][0] == '\0')
			missing_add(ret, controllers[place], "no such hierarchy");
		else
			open_place(host->path[place], prefix, uid, place, ret);
		if (ret->folders[place] >= 0)
			ret->layers |= place_layers[place];
	}
	if (ret->folders[CGROUP_MEMORY] >= 0)
		ret->has_swap_limit = faccessat(ret->folders[CGROUP_MEMORY],
						"memory.memsw.limit_in_bytes", F_OK, 0) == 0;
}

static pid_t parent_of(pid_t pid)
{
	char path[64];
	char text[1024];
	const char *after_name;
	int parent = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (cgroup_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	/* The name may hold blanks and brackets; the last bracket ends it. */
	after_name = strrchr(text, ')');
	if (after_name == NULL || sscanf(after_name + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

/*
 * Version 2 refuses controllers to the children of a group that has processes itself. Ours are
 * the supervisor and its children: they move into a leaf beside the instance. Processes of
 * others stay where they are; if there are any, enabling fails and says so.
 */
static void move_family(int base, const char *leaf)
{
	char text[16384];
	own_fd folder = -1;
	pid_t supervisor = getppid();

	if (mkdirat(base, leaf, 0755) != 0 && errno != EEXIST)
		return;
	folder = openat(base, leaf, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0 || cgroup_read(base, "cgroup.procs", text, sizeof(text)) < 0)
		return;
	for (char *at = text, *end; *at != '\0'; at = end + (*end != '\0')) {
		pid_t pid = (pid_t)strtol(at, &end, 10);
		char number[32];

		if (end == at)
			break;
		if (pid != getpid() && pid != supervisor && parent_of(pid) != supervisor)
			continue;
		(void)snprintf(number, sizeof(number), "%d", (int)pid);
		err_ignore(cgroup_write(folder, "cgroup.procs", number, NULL),
			   "a process that stays makes the enabling below fail");
	}
}

/* Enables what it can in `folder` for its children; returns the layers that work. */
static uint32_t enable_controllers(int folder, struct cgroup_instance *instance, bool is_last)
{
	uint32_t layers = 0;

	for (int place = 0; place < CGROUP_CPUACCT; place++) {
		struct err err = {0};
		char change[32];

		(void)snprintf(change, sizeof(change), "+%s", controllers[place]);
		if (cgroup_write(folder, "cgroup.subtree_control", change, &err) == 0)
			layers |= place_layers[place];
		else if (is_last)
			missing_add(instance, controllers[place], err.text);
	}
	return layers;
}

static void open_version_2(const struct cgroup_host *host, const char *prefix, uint32_t uid,
			   struct cgroup_instance *ret)
{
	char path[CGROUP_PATH_MAX];
	struct err err = {0};
	own_fd own = -1;
	char *last;
	int base;

	(void)snprintf(path, sizeof(path), "%s", host->path[CGROUP_MEMORY]);
	/* A restarted warden is born in the leaf that its predecessor moved the family to. */
	last = strrchr(path, '/');
	if (last != NULL && strcmp(last + 1, ret->family) == 0)
		*last = '\0';
	open_place(path, prefix, uid, CGROUP_MEMORY, ret);
	if (ret->folders[CGROUP_MEMORY] < 0)
		return;
	base = ret->parents[CGROUP_MEMORY];
	/* Whoever moves a process needs write access to the common ancestor's cgroup.procs. The
	 * warden and what it starts therefore live below the instance, not beside it. */
	if (folder_make(ret->folders[CGROUP_MEMORY], "warden", uid, &own, &err) < 0 ||
	    cgroup_write(own, "cgroup.procs", "0", &err) < 0) {
		missing_add(ret, "cgroup2", err.text);
		return;
	}
	ret->layers = enable_controllers(base, ret, false);
	if (ret->layers != LAYERS_CGROUP) {
		move_family(base, ret->family);
		ret->layers = enable_controllers(base, ret, true);
	}
	ret->layers &= enable_controllers(ret->folders[CGROUP_MEMORY], ret, true);
	ret->has_swap_limit = true;
}

int cgroup_instance_open(const struct cgroup_host *host, const char *name, uint32_t owner_uid,
			 struct cgroup_instance *ret, struct err *err)
{
	struct cgroup_instance instance = {.version = host->version,
					   .parents = {-1, -1, -1, -1},
					   .folders = {-1, -1, -1, -1}};
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
		open_version_2(host, prefix, owner_uid, &instance);
	else
		missing_add(&instance, "cgroup", "no hierarchy is mounted");
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
}

void cgroup_instance_remove(struct cgroup_instance *instance)
{
	/* Version 2: whoever removes may have been born in the instance himself. */
	if (instance->version == 2 && instance->parents[CGROUP_MEMORY] >= 0) {
		own_fd family = openat(instance->parents[CGROUP_MEMORY], instance->family,
				       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

		err_ignore(cgroup_write(family >= 0 ? family : instance->parents[CGROUP_MEMORY],
					"cgroup.procs", "0", NULL),
			   "then the folder stays until the next start");
	}
	for (int place = 0; place < CGROUP_PLACES; place++) {
		if (instance->parents[place] >= 0)
			remove_one(instance->parents[place], instance->folder);
		fd_drop(&instance->folders[place]);
		fd_drop(&instance->parents[place]);
	}
	instance->layers = 0;
}
