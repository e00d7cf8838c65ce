#include "sandbox/layers/lockdown.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "sandbox/layers/landlock.h"
#include "sandbox/layers/privileges.h"
#include "sandbox/layers/root.h"
#include "sandbox/layers/seccomp.h"
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

/* Without a user namespace (test builds) the worker is U0's 0, and no CELL_UID exists. */
static bool has_own_uid(uint32_t layers_disabled)
{
	return (layers_disabled & LAYER_USER_NAMESPACE) == 0;
}

static int finish_privileges(uint32_t off, uint32_t *layers, struct err *err)
{
	int status = 0;

	if (has_own_uid(off)) {
		status = privileges_become_cell_uid(err);
		*layers |= (off & LAYER_OWN_UID) == 0 ? LAYER_OWN_UID : 0;
	}
	if (status == 0)
		status = privileges_drop(off, err);
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

static int finish_walls(struct lockdown *lockdown, uint32_t *layers, unsigned *abi,
			struct err *err)
{
	uint32_t off = lockdown->layers_disabled;
	int status = 0;

	if ((off & LAYER_LANDLOCK) == 0) {
		status = landlock_worker(lockdown->landlock_abi_min, abi, err);
		*layers |= LAYER_LANDLOCK;
	}
	/* Landlock opens more descriptors than a small limit would allow. */
	if (status == 0 && (off & LAYER_RLIMITS) == 0) {
		status = rlimits_apply(&lockdown->limits, err);
		*layers |= LAYER_RLIMITS;
	}
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
		status = finish_privileges(lockdown->layers_disabled, &layers, err);
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
