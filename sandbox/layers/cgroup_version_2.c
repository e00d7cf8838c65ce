/*
 * sandbox/layers/cgroup_version_2.c - the instance's group in the one hierarchy of version 2.
 *
 *     base                   what the service was started in; no process is left in it
 *       <name>.service       the family: supervisor, its other children, the janitor
 *       <name>-<pid>         the instance
 *         warden             the warden and what it starts
 *         jobs               all jobs together, which have a weight
 *           w0, w1, ...      one group a worker slot
 *
 * A group with processes of its own cannot pass controllers on, hence the leaves. The jobs have
 * a level of their own because one that yields has almost no weight among its neighbours:
 * beside the warden's group it would get nothing while the warden works, and keep waiting
 * whoever needs a lock of the kernel that it holds, the warden first.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/layers/cgroup_file.h"
#include "sandbox/layers/cgroup_instance.h"

#define LAYERS_CGROUP (LAYER_CGROUP_MEMORY | LAYER_CGROUP_PIDS | LAYER_CGROUP_CPU)

/* Of the kernel's usual 100, which the instance has, jobs included: whoever answers comes
 * first. */
#define FAMILY_WEIGHT "200"

static int family_open(const struct cgroup_instance *instance)
{
	return openat(instance->parents[CGROUP_MEMORY], instance->family,
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static int family_make(const struct cgroup_instance *instance)
{
	(void)mkdirat(instance->parents[CGROUP_MEMORY], instance->family, 0755);
	return family_open(instance);
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

/* Calls for each process of a group; false as soon as a call says so, or without a list. */
static bool each_member(int folder, const struct cgroup_instance *instance,
			bool (*call)(const struct cgroup_instance *instance, pid_t pid))
{
	char text[16384];
	bool goes_on = cgroup_read(folder, "cgroup.procs", text, sizeof(text)) == 0;

	for (char *at = text, *end; goes_on && *at != '\0'; at = end + (*end != '\0')) {
		pid_t pid = (pid_t)strtol(at, &end, 10);

		goes_on = end != at && call(instance, pid);
	}
	return goes_on;
}

static int move(int folder, pid_t pid)
{
	char number[32];

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	return cgroup_write(folder, "cgroup.procs", number, NULL);
}

static bool take_along(const struct cgroup_instance *instance, pid_t pid)
{
	own_fd family = -1;

	if (pid != getpid() && pid != instance->supervisor &&
	    parent_of(pid) != instance->supervisor)
		return true;
	family = family_open(instance);
	err_ignore(move(family, pid), "a process that stays makes the enabling below fail");
	return true;
}

/*
 * Version 2 refuses controllers to the children of a group that has processes itself. Ours are
 * the supervisor and its children: they move into a leaf beside the instance. Processes of
 * others stay where they are; if there are any, enabling fails and says so.
 */
static void move_family(const struct cgroup_instance *instance)
{
	own_fd family = family_make(instance);

	if (family >= 0)
		(void)each_member(instance->parents[CGROUP_MEMORY], instance, take_along);
}

/* Enables what it can in `folder` for its children; returns the layers that work. */
static uint32_t enable_controllers(int folder, struct cgroup_instance *instance, bool is_last)
{
	uint32_t layers = 0;

	for (int place = CGROUP_MEMORY; place < CGROUP_CPUACCT; place++) {
		struct err err = {0};
		char change[32];

		if ((instance->layers_off & cgroup_place_layers[place]) != 0)
			continue;
		(void)snprintf(change, sizeof(change), "+%s", cgroup_controllers[place]);
		if (cgroup_write(folder, "cgroup.subtree_control", change, &err) == 0)
			layers |= cgroup_place_layers[place];
		else if (is_last)
			cgroup_missing_add(instance, cgroup_controllers[place], err.text);
	}
	return layers;
}

/* Without a controller to pass on there is nothing to stay for. */
static void give_up_base(struct cgroup_instance *instance)
{
	int home = instance->home >= 0 ? instance->home : instance->parents[CGROUP_MEMORY];

	err_ignore(cgroup_write(home, "cgroup.procs", "0", NULL), "the removal says more");
	cgroup_tree_remove(instance->parents[CGROUP_MEMORY], instance->folder);
	fd_drop(&instance->folders[CGROUP_MEMORY]);
	fd_drop(&instance->parents[CGROUP_MEMORY]);
}

/* The warden moves into a leaf of the instance, and `folders` becomes the group of all jobs.
 * Whoever moves a process needs write access to the common ancestor's cgroup.procs. The warden
 * and what it starts therefore live below the instance, not beside it. */
static int divide_instance(uint32_t uid, int *ret_instance, struct cgroup_instance *ret)
{
	struct err err = {0};
	own_fd leaf = -1;
	int *jobs = &ret->folders[CGROUP_MEMORY];

	*ret_instance = *jobs;
	*jobs = -1;
	if (cgroup_folder_make(*ret_instance, "warden", uid, &leaf, &err) == 0 &&
	    cgroup_write(leaf, "cgroup.procs", "0", &err) == 0 &&
	    cgroup_folder_make(*ret_instance, "jobs", uid, jobs, &err) == 0)
		return 0;
	cgroup_missing_add(ret, "cgroup2", err.text);
	return -1;
}

static void use_base(const char *path, const char *prefix, uint32_t uid,
		     struct cgroup_instance *ret)
{
	own_fd whole = -1;
	own_fd family = -1;
	int base;

	cgroup_place_open(path, prefix, uid, CGROUP_MEMORY, ret);
	if (ret->folders[CGROUP_MEMORY] < 0 || divide_instance(uid, &whole, ret) < 0)
		return;
	base = ret->parents[CGROUP_MEMORY];
	ret->layers = enable_controllers(base, ret, false);
	if (ret->layers != (LAYERS_CGROUP & ~ret->layers_off)) {
		move_family(ret);
		ret->layers = enable_controllers(base, ret, true);
	}
	ret->layers &= enable_controllers(whole, ret, true);
	ret->layers &= enable_controllers(ret->folders[CGROUP_MEMORY], ret, true);
	cgroup_weigh(ret);
	family = family_open(ret);
	err_ignore(
		cgroup_write(family, "cpu.weight", FAMILY_WEIGHT, NULL),
		"without the controller, or in a group of others: as their owner weighs them");
}

void cgroup_version_2_open(const struct cgroup_host *host, const char *prefix, uint32_t uid,
			   struct cgroup_instance *ret)
{
	char path[CGROUP_PATH_MAX];
	char *last;

	(void)snprintf(path, sizeof(path), "%s", host->path[CGROUP_MEMORY]);
	/* A restarted warden is born in the leaf that its predecessor moved the family to. */
	last = strrchr(path, '/');
	if (last != NULL && strcmp(last + 1, ret->family) == 0)
		*last = '\0';
	ret->has_swap_limit = true;
	use_base(path, prefix, uid, ret);
	/* Root, started from a shell: the shell is in the group and stays there. One level up
	 * only other groups live. */
	last = strrchr(path, '/');
	if (ret->layers != 0 || geteuid() != 0 || ret->parents[CGROUP_MEMORY] < 0 ||
	    last == NULL)
		return;
	ret->home = fcntl(ret->parents[CGROUP_MEMORY], F_DUPFD_CLOEXEC, 3);
	give_up_base(ret);
	*last = '\0';
	ret->missing[0] = '\0';
	if (ret->home >= 0)
		use_base(path, prefix, uid, ret);
}

void cgroup_version_2_leave(const struct cgroup_instance *instance)
{
	own_fd family = instance->home < 0 ? family_make(instance) : -1;

	err_ignore(
		cgroup_write(family >= 0 ? family : instance->home, "cgroup.procs", "0", NULL),
		"then the folder stays until the next start");
}

/* The supervisor waits for its janitor before it ends. */
static bool is_last(const struct cgroup_instance *instance, pid_t pid)
{
	return pid == getpid() || pid == instance->supervisor;
}

static bool move_back(const struct cgroup_instance *instance, pid_t pid)
{
	return move(instance->parents[CGROUP_MEMORY], pid) == 0;
}

bool cgroup_version_2_restore(const struct cgroup_instance *instance)
{
	own_fd family = family_open(instance);
	int base = instance->parents[CGROUP_MEMORY];
	int status = 0;

	/* Above the group we were started in controllers are not ours to take away. */
	if (instance->home >= 0)
		return true;
	if (!each_member(family, instance, is_last))
		return false;
	/* Refused when another instance passes the controller on, which then keeps the leaf. */
	for (int place = CGROUP_MEMORY; place < CGROUP_CPUACCT && status != -EBUSY; place++) {
		char change[32];

		(void)snprintf(change, sizeof(change), "-%s", cgroup_controllers[place]);
		status = cgroup_write(base, "cgroup.subtree_control", change, NULL);
	}
	if (status != -EBUSY && each_member(family, instance, move_back))
		(void)unlinkat(base, instance->family, AT_REMOVEDIR);
	return true;
}
