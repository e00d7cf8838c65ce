#include "sandbox/layers/lockdown.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/confine.h"
#include "sandbox/layers/coresched.h"
#include "sandbox/layers/landlock.h"
#include "sandbox/layers/own_signals.h"
#include "sandbox/layers/privileges.h"
#include "sandbox/layers/root.h"
#include "sandbox/layers/seccomp.h"
#include "sandbox/layers/userns.h"
#include "sandbox/layers/workspace_folder.h"
#include "schema/status.h"

int lockdown_check_disabled(uint32_t layers_disabled, struct err *err)
{
#ifdef CASEMATE_TEST_BUILD
	(void)layers_disabled;
	(void)err;
	return 0;
#else
	if (layers_disabled == 0)
		return 0;
	return err_set(err, EPERM, "layers can be switched off in test builds only");
#endif
}

static const struct {
	uint64_t flag;
	uint32_t layer;
} namespaces[] = {
	{CLONE_NEWUSER, LAYER_USER_NAMESPACE},	   {CLONE_NEWNS, LAYER_MOUNT_NAMESPACE},
	{CLONE_NEWPID, LAYER_PID_NAMESPACE},	   {CLONE_NEWNET, LAYER_NETWORK_NAMESPACE},
	{CLONE_NEWIPC, LAYER_IPC_NAMESPACE},	   {CLONE_NEWUTS, LAYER_UTS_NAMESPACE},
	{CLONE_NEWCGROUP, LAYER_CGROUP_NAMESPACE}, {CLONE_NEWTIME, LAYER_TIME_NAMESPACE},
};

uint64_t lockdown_clone_flags(uint32_t layers_disabled)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < ARRAY_COUNT(namespaces); i++)
		if ((namespaces[i].layer & layers_disabled) == 0)
			flags |= namespaces[i].flag;
	return flags;
}

uint32_t lockdown_layers(uint64_t clone_flags)
{
	uint32_t layers = 0;

	for (size_t i = 0; i < ARRAY_COUNT(namespaces); i++)
		if ((namespaces[i].flag & clone_flags) != 0)
			layers |= namespaces[i].layer;
	return layers;
}

int lockdown_join(int cell_pidfd, uint32_t layers_disabled, uint32_t *ret_layers,
		  struct err *err)
{
	uint64_t flags = lockdown_clone_flags(layers_disabled);
	uint32_t layers = lockdown_layers(flags);
	int status = lockdown_check_disabled(layers_disabled, err);

	if (status < 0)
		return status;
	/* The pid namespace is entered by being born in it; the zygote saw to that. The mount
	 * namespace always: if cells have none of their own (test builds), it is their maker's.
	 */
	if (setns(cell_pidfd, (int)((flags & ~(uint64_t)CLONE_NEWPID) | CLONE_NEWNS)) != 0)
		return err_errno(err, errno, "join the cell's namespaces");
	/* Its parent is the warden, which has no number in there. */
	if ((layers & LAYER_PID_NAMESPACE) != 0 && getppid() != 0)
		return err_set(err, EPERM,
			       "the worker was not born in the cell's pid namespace");
	if ((layers_disabled & LAYER_MINIMAL_ROOT) == 0) {
		status = root_check(err);
		if (status < 0)
			return status;
		layers |= LAYER_MINIMAL_ROOT;
	}
	if (chdir(ROOT_WORKSPACE) != 0)
		return err_errno(err, errno, "enter " ROOT_WORKSPACE);
	*ret_layers = layers;
	return 0;
}

bool lockdown_has_cell(const struct lockdown *lockdown)
{
	return (level_layers(lockdown->level) & LAYERS_OF_CELL) != 0;
}

int lockdown_enter_folder(int folder_fd, struct err *err)
{
	if (fchdir(folder_fd) != 0 || chdir(WORKSPACE_FILES) != 0)
		return err_errno(err, errno, "enter the worker's folder");
	return 0;
}

/* What is not to be done: not a layer of the level, or switched off in a test build. */
static uint32_t layers_off(const struct lockdown *lockdown)
{
	return ~level_layers(lockdown->level) | lockdown->layers_disabled;
}

/* The user of a worker; 0: it stays who it is. In a cell without a user namespace (test builds)
 * the worker is U0's 0, and no CELL_UID exists. */
static uint32_t user_of(const struct lockdown *lockdown)
{
	uint32_t off = layers_off(lockdown);

	if (!lockdown_has_cell(lockdown))
		return (off & LAYER_OWN_UID) == 0 ? lockdown->uid : 0;
	return (off & LAYER_USER_NAMESPACE) == 0 ? CELL_UID : 0;
}

int lockdown_become_user(const struct lockdown *lockdown, struct err *err)
{
	uint32_t user = user_of(lockdown);

	return user == 0 ? 0 : privileges_become(user, err);
}

static int finish_privileges(const struct lockdown *lockdown, uint32_t *layers, struct err *err)
{
	uint32_t off = layers_off(lockdown);
	/* Started as an ordinary user and without a namespace of our own, nobody above us ever
	 * had a capability. */
	bool has_rights = lockdown_has_cell(lockdown) || lockdown->uid != 0;
	int status = lockdown_become_user(lockdown, err);

	if (status == 0)
		status = has_rights ? privileges_drop(off, err)
				    : privileges_drop_without_rights(off, err);
	if (user_of(lockdown) != 0)
		*layers |= LAYER_OWN_UID & ~off;
	*layers |= (LAYER_NO_CAPABILITIES | LAYER_NO_NEW_PRIVILEGES) & ~off;
	return status;
}

static int finish_seccomp(struct lockdown *lockdown, uint32_t *layers, struct err *err)
{
	int status;

	lockdown->listener_fd = 0;
	*layers |= LAYER_SECCOMP;
	if (!lockdown->tells_denials)
		return seccomp_program_load(lockdown->seccomp_memfd, err);
	status = seccomp_program_load_telling(lockdown->seccomp_memfd, &lockdown->listener_fd,
					      err);
	*layers |= LAYER_DENIAL_EVENTS;
	return status;
}

static int finish_landlock(const struct lockdown *lockdown, unsigned *abi, struct err *err)
{
	if (lockdown_has_cell(lockdown))
		return landlock_worker(lockdown->landlock_abi_min, abi, err);
	return landlock_worker_on_host(lockdown->root_paths, lockdown->landlock_abi_min, abi,
				       err);
}

/* A user of its own or a pid namespace keeps signals in, and so does Landlock from ABI 6. */
static bool needs_own_signals(const struct lockdown *lockdown, unsigned abi)
{
	return !lockdown_has_cell(lockdown) && user_of(lockdown) == 0 &&
	       abi < CONFINE_LANDLOCK_ABI_SCOPES;
}

static int finish_cores(const struct lockdown *lockdown, uint32_t *layers, struct err *err)
{
	bool holds = false;
	int status = (layers_off(lockdown) & LAYER_CORE_SCHEDULING) == 0
			     ? coresched_apply(&holds, err)
			     : 0;

	if (holds)
		*layers |= LAYER_CORE_SCHEDULING;
	return status;
}

static int finish_walls(struct lockdown *lockdown, uint32_t *layers, unsigned *abi,
			struct err *err)
{
	uint32_t off = layers_off(lockdown);
	int status = 0;

	if ((off & LAYER_LANDLOCK) == 0) {
		status = finish_landlock(lockdown, abi, err);
		*layers |= LAYER_LANDLOCK;
	}
	/* Landlock opens more descriptors than a small limit would allow. */
	if (status == 0 && (off & LAYER_RLIMITS) == 0) {
		status = rlimits_apply(&lockdown->limits, err);
		*layers |= LAYER_RLIMITS;
	}
	if (status == 0 && (off & LAYER_SECCOMP) == 0 && needs_own_signals(lockdown, *abi))
		status = own_signals_only(err);
	if (status == 0 && (off & LAYER_SECCOMP) == 0)
		status = finish_seccomp(lockdown, layers, err);
	return status;
}

int lockdown_finish(struct lockdown *lockdown, uint32_t *ret_layers, unsigned *ret_landlock_abi,
		    struct err *err)
{
	uint32_t layers = 0;
	unsigned abi = 0;
	int status = lockdown_check_disabled(lockdown->layers_disabled, err);

	if (status == 0)
		status = finish_privileges(lockdown, &layers, err);
	if (status == 0)
		status = finish_cores(lockdown, &layers, err);
	if (status == 0)
		status = finish_walls(lockdown, &layers, &abi, err);
	if (status < 0)
		return status;
	*ret_layers = layers;
	*ret_landlock_abi = abi;
	return 0;
}

int lockdown_prove_telling(struct lockdown *lockdown, struct err *err)
{
	if (lockdown->listener_fd <= 0)
		return 0;
	if (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 || errno != EPERM)
		return err_set(err, EPERM, "confinement failed: a socket was not refused");
	fd_drop(&lockdown->listener_fd);
	lockdown->listener_fd = 0;
	return 0;
}
