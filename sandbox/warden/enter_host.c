/*
 * sandbox/warden/enter_host.c - the warden without a user namespace of its own.
 *
 * It stays on the host, so what a namespace would do is done by a uid of its own (as root), few
 * capabilities, Landlock over files and signals, and the deny list with sockets on it.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/confine.h"
#include "base/log.h"
#include "sandbox/layers/landlock_rules.h"
#include "sandbox/layers/privileges.h"
#include "sandbox/warden/enter.h"
#include "sandbox/warden/warden.h"

/* --- capabilities ------------------------------------------------------------------------ */

static const struct {
	int number;
	const char *name;
	bool is_inherited;
} kept[] = {
#define KEEP(name, why, is_inherited) {name, #name, is_inherited},
#include "sandbox/layers/host.caps.def"
#undef KEEP
};

static uint64_t kept_mask(bool inherited_only)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
		if (!inherited_only || kept[i].is_inherited)
			mask |= UINT64_C(1) << kept[i].number;
	return mask;
}

static int capabilities_set(uint64_t mask, uint64_t inherited, struct err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (unsigned i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(mask >> (32 * i)),
			.permitted = (uint32_t)(mask >> (32 * i)),
			.inheritable = (uint32_t)(inherited >> (32 * i)),
		};
	if (syscall(SYS_capset, &header, data) != 0)
		return err_errno(err, errno, "keep my capabilities");
	return 0;
}

static int bounding_set_cut(struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
		if (prctl(PR_CAPBSET_READ, kept[i].number, 0, 0, 0) != 1)
			return err_set(err, EPERM,
				       "level landlock as root needs %s: give it to the "
				       "container, or start the service as an ordinary user",
				       kept[i].name);
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if ((kept_mask(false) & UINT64_C(1) << cap) == 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return err_errno(err, errno, "give up capability %d", cap);
	return 0;
}

/* The zygotes get theirs through exec as ambient ones, which no_new_privs leaves alone. */
static int raise_ambient(struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
		if (kept[i].is_inherited &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i].number, 0, 0) != 0)
			return err_errno(err, errno, "pass on %s", kept[i].name);
	return 0;
}

static int become_first_user(uint32_t uid, struct err *err)
{
	int status = bounding_set_cut(err);

	if (status < 0)
		return status;
	if (setgroups(0, NULL) != 0)
		return err_errno(err, errno, "drop supplementary groups");
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return err_errno(err, errno, "keep capabilities over the change of user");
	status = privileges_become(uid, err);
	if (status == 0)
		status = capabilities_set(kept_mask(false), kept_mask(true), err);
	return status < 0 ? status : raise_ambient(err);
}

/* --- files ------------------------------------------------------------------------------- */

/* What cgroup.c does in the instance's folders. */
#define GROUP_ACCESS                                                    \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	 LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |    \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_TRUNCATE)

static int add_folder(struct landlock_rules *rules, int fd, uint64_t access, struct err *err)
{
	return fd < 0 ? 0 : landlock_rules_add(rules, fd, ".", O_NOFOLLOW, access, err);
}

/* The zygote is executed from its descriptor, and may lie anywhere. */
static int add_binary(struct landlock_rules *rules, int fd, struct err *err)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return landlock_rules_add(rules, AT_FDCWD, path, 0, LANDLOCK_FILE_READ, err);
}

static int add_rules(struct landlock_rules *rules, const struct warden *warden, struct err *err)
{
	int status = 0;

	for (unsigned i = 0; i < warden->runtime_count && status == 0; i++) {
		const struct runtime *runtime = &warden->runtimes[i];

		if (runtime_is_missing(runtime))
			continue;
		status = landlock_rules_add_system(rules, runtime->setup.root_paths, err);
		if (status == 0)
			status = add_binary(rules, runtime->zygote.binary_fd, err);
	}
	for (int place = 0; place < CGROUP_PLACES && status == 0; place++)
		status = add_folder(rules, warden->cgroups.folders[place], GROUP_ACCESS, err);
	if (status == 0)
		status = add_folder(rules, warden->workspaces.folder_fd, LANDLOCK_FOLDER_WRITE,
				    err);
	/* A worker's memory where no group counts it; jobs do not get this rule. */
	if (status == 0)
		status = landlock_rules_add(
			rules, AT_FDCWD, "/proc", 0,
			LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, err);
	return status;
}

static int landlock_enter(struct warden *warden, struct err *err)
{
	struct landlock_rules rules = {.count = 0};
	unsigned abi;
	int status = add_rules(&rules, warden, err);

	if (status == 0)
		status = confine_landlock(warden->hello.landlock_abi_min, rules.list,
					  rules.count, &abi, err);
	landlock_rules_done(&rules);
	return status;
}

/* --- all of it --------------------------------------------------------------------------- */

/* Tries what must fail now. */
static int prove(const struct warden *warden, pid_t supervisor, bool was_root, struct err *err)
{
	uint32_t layers = enter_own_layers(&warden->config);
	own_fd file = -1;

	if (was_root && geteuid() != warden->config.uid_first)
		return err_set(err, EPERM, "confinement failed: the user did not stick");
	if ((layers & LAYER_LANDLOCK) != 0) {
		file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		if (file >= 0)
			return err_set(err, EPERM,
				       "confinement failed: the host's files can be read");
		if (supervisor > 1 && confine_landlock_abi() >= CONFINE_LANDLOCK_ABI_SCOPES &&
		    kill(supervisor, 0) == 0)
			return err_set(err, EPERM,
				       "confinement failed: the supervisor can be signalled");
	}
	if ((layers & LAYER_SECCOMP) != 0 &&
	    (!confine_denies_calls() || socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) != -1))
		return err_set(err, EPERM, "confinement failed: the deny list does not hold");
	if ((layers & LAYER_NO_NEW_PRIVILEGES) != 0 &&
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_set(err, EPERM, "confinement failed: no_new_privs did not stick");
	return 0;
}

int enter_host(struct warden *warden, pid_t supervisor, struct err *err)
{
	uint32_t layers = enter_own_layers(&warden->config);
	bool was_root = geteuid() == 0;
	int status = was_root ? become_first_user(warden->config.uid_first, err) : 0;

	if (status < 0)
		return status;
	/* What a job leaves behind becomes our child, to be reaped. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return err_errno(err, errno, "become the reaper of what jobs leave");
	status = (layers & LAYER_RLIMITS) != 0 ? confine_core(err) : 0;
	if (status < 0)
		return status;
	if ((layers & LAYER_NO_NEW_PRIVILEGES) != 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(err, errno, "set no_new_privs");
	if ((layers & LAYER_LANDLOCK) != 0)
		status = landlock_enter(warden, err);
	if (status == 0 && (layers & LAYER_SECCOMP) != 0)
		status = enter_deny_for_good(true, err);
	return status < 0 ? status : prove(warden, supervisor, was_root, err);
}
