#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/confine.h"
#include "base/memfd.h"
#include "sandbox/doctor/doctor.h"
#include "sandbox/layers/cgroup.h"
#include "sandbox/layers/coresched.h"
#include "sandbox/layers/privileges.h"
#include "sandbox/layers/seccomp.h"
#include "schema/status.h"

/* The newest ABI that adds something to the wall: scopes for signals and abstract sockets. */
#define LANDLOCK_ABI_BEST 6

static void ask_landlock(struct finding *finding)
{
	unsigned abi = confine_landlock_abi();

	if (abi == 0)
		answer(finding, ANSWER_MISSING, "not in this kernel, or not switched on");
	else
		answer(finding, abi < LANDLOCK_ABI_BEST ? ANSWER_LIMITED : ANSWER_USABLE,
		       "ABI %u", abi);
}

static int try_seccomp(struct err *err)
{
	int memfd = -1;
	int status = seccomp_program_compile(SECCOMP_LIST_WORKER, SECCOMP_QUIET, &memfd, err);

	if (status == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		status = err_errno(err, errno, "no_new_privs");
	if (status == 0)
		status = seccomp_program_load(memfd, err);
	if (status == 0 && (syscall(SYS_unshare, CLONE_NEWUSER) == 0 || errno != EPERM))
		status = err_set(err, EPERM, "the filter was loaded and does not hold");
	return status;
}

static void ask_seccomp(struct finding *finding)
{
	try_in_child(try_seccomp, finding);
}

/* What the warden tries at its start. */
static int try_notification(struct err *err)
{
	own_fd memfd = -1;
	int status = seccomp_program_compile(SECCOMP_LIST_WORKER, SECCOMP_TELL, &memfd, err);

	return status < 0 ? status : seccomp_try_telling(memfd, err);
}

static void ask_notification(struct finding *finding)
{
	try_in_child(try_notification, finding);
}

static int try_memfd(struct err *err)
{
	own_fd fd = -1;
	own_span span = {.data = ""};
	int status = memfd_from("doctor", "x", 1, &fd, err);

	return status < 0 ? status : memfd_map(fd, 1, &span, err);
}

static void ask_memfd(struct finding *finding)
{
	try_in_child(try_memfd, finding);
}

/* Calls that fail on purpose: only "no such call" and a refusal by an outer filter differ. */
static void ask_call(struct finding *finding, long result, int harmless)
{
	if (result >= 0 || errno == harmless)
		finding->answer = ANSWER_USABLE;
	else
		answer(finding, ANSWER_MISSING, "%s", strerror(errno));
}

static void ask_clone3(struct finding *finding)
{
	ask_call(finding, syscall(SYS_clone3, NULL, 0), EINVAL);
}

static void ask_openat2(struct finding *finding)
{
	ask_call(finding, syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0), EINVAL);
}

static void ask_pidfd(struct finding *finding)
{
	own_fd fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd < 0)
		ask_call(finding, fd, 0);
	else
		ask_call(finding, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
}

static void ask_close_range(struct finding *finding)
{
	ask_call(finding, syscall(SYS_close_range, ~0u, ~0u, 0), 0);
}

/* As a worker does, in a child that ends with its cookie. */
static int try_core_scheduling(struct err *err)
{
	bool holds = false;
	int status = coresched_apply(&holds, err);

	if (status == 0 && !holds)
		status = err_errno(err, errno, "no cookie to have");
	return status;
}

static void ask_core_scheduling(struct finding *finding)
{
	try_in_child(try_core_scheduling, finding);
	if (finding->answer == ANSWER_USABLE)
		return;
	finding->layers = 0;
	/* Without the like the kernel of a machine, virtual or not, says which. */
	if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_GET, 0, PR_SCHED_CORE_SCOPE_THREAD,
		  &(unsigned long){0}) != 0 &&
	    errno == ENODEV)
		answer(finding, ANSWER_USABLE, "not needed: no two threads share a core here");
}

#define LAYERS_OF_GROUPS (LAYER_CGROUP_MEMORY | LAYER_CGROUP_PIDS | LAYER_CGROUP_CPU)

static const struct {
	const char *name;
	enum cgroup_place place; /* its own in version 1 */
	uint32_t layer;
} controllers[] = {
	{"memory", CGROUP_MEMORY, LAYER_CGROUP_MEMORY},
	{"pids", CGROUP_PIDS, LAYER_CGROUP_PIDS},
	{"cpu", CGROUP_CPU, LAYER_CGROUP_CPU},
};

/* Version 2 names the controllers that it passes on in a file; a group of our own can be made
 * when that folder is writable. */
static bool has_controller(const struct cgroup_host *host, size_t index)
{
	const char *group = host->path[CGROUP_MEMORY];
	char path[CGROUP_PATH_MAX + 32];
	char names[256] = {0};
	own_fd fd = -1;

	if (host->version == 1)
		return access(host->path[controllers[index].place], W_OK) == 0;
	(void)snprintf(path, sizeof(path), "%s/cgroup.controllers", group);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, names, sizeof(names) - 1) <= 0)
		return false;
	return cgroup_list_has(names, strlen(names), controllers[index].name) &&
	       access(group, W_OK) == 0;
}

/* Looks only: making a group in version 2 would move the processes around us. */
static void ask_cgroups(struct finding *finding)
{
	struct cgroup_host host;
	struct err err = {0};
	char names[64] = "";
	unsigned usable = 0;

	finding->layers = 0;
	if (cgroup_host_probe(&host, &err) < 0) {
		answer(finding, ANSWER_MISSING, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(controllers); i++) {
		size_t length = strlen(names);

		if (host.version == 0 || !has_controller(&host, i))
			continue;
		usable++;
		finding->layers |= controllers[i].layer;
		(void)snprintf(names + length, sizeof(names) - length, " %s",
			       controllers[i].name);
	}
	if (usable == 0)
		answer(finding, ANSWER_MISSING, "version %u: none writable", host.version);
	else
		answer(finding,
		       usable == ARRAY_COUNT(controllers) ? ANSWER_USABLE : ANSWER_LIMITED,
		       "version %u:%s", host.version, names);
}

/* What every worker gives up, and cannot get back. */
static int try_privileges(struct err *err)
{
	if (geteuid() != 0)
		return privileges_drop_without_rights(0, err);
	return privileges_drop(0, err);
}

static void ask_privileges(struct finding *finding)
{
	try_in_child(try_privileges, finding);
}

static int try_own_uid(struct err *err)
{
	if (geteuid() != 0)
		return err_set(err, EPERM, "started as an ordinary user");
	if (setgroups(0, NULL) != 0)
		return err_errno(err, errno, "drop supplementary groups");
	return privileges_become(TRIAL_UID_FIRST, err);
}

static void ask_own_uid(struct finding *finding)
{
	try_in_child(try_own_uid, finding);
}

struct capability {
	int number;
	const char *name;
};

/* Without one of these the service, started as root, does not get through its start. */
static const struct capability of_root[] = {
	{CAP_CHOWN, "CAP_CHOWN"},     {CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"},
	{CAP_SETGID, "CAP_SETGID"},   {CAP_SETUID, "CAP_SETUID"},
	{CAP_SETPCAP, "CAP_SETPCAP"}, {CAP_SYS_CHROOT, "CAP_SYS_CHROOT"},
};

/* What the warden keeps where no user namespace gives it rights of its own. */
static const struct capability of_warden[] = {
#define KEEP(name, why, is_inherited) {name, #name},
#include "sandbox/layers/host.caps.def"
#undef KEEP
};

static void ask_for_all(struct finding *finding, const struct capability *list, size_t count)
{
	char missing[128] = "";

	if (geteuid() != 0) {
		answer(finding, ANSWER_USABLE, "not needed by an ordinary user");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(missing);

		if (prctl(PR_CAPBSET_READ, list[i].number, 0, 0, 0) != 1)
			(void)snprintf(missing + used, sizeof(missing) - used, " %s",
				       list[i].name);
	}
	if (missing[0] == '\0')
		finding->answer = ANSWER_USABLE;
	else
		answer(finding, ANSWER_MISSING, "without%s", missing);
}

static void ask_capabilities(struct finding *finding)
{
	ask_for_all(finding, of_root, ARRAY_COUNT(of_root));
}

static void ask_warden_capabilities(struct finding *finding)
{
	ask_for_all(finding, of_warden, ARRAY_COUNT(of_warden));
}

/* The warden is of another user than its workers, and not root. */
static int try_processes(struct err *err)
{
	char path[64];
	own_fd fd = -1;
	int status = geteuid() == 0 ? try_own_uid(err) : 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
	if (status == 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (status == 0 && fd < 0)
		status = err_errno(err, errno, "see a process of another user");
	return status;
}

static void ask_processes(struct finding *finding)
{
	try_in_child(try_processes, finding);
}

#define NEWER(version) \
	"use Linux " version " or newer, and allow the call in an outer seccomp profile"

const struct question questions_kernel[] = {
	{"landlock", REQUIRED, ask_landlock,
	 "use a kernel with CONFIG_SECURITY_LANDLOCK and landlock in its lsm= list; Linux 6.12 "
	 "or newer also confines signals and abstract sockets",
	 LAYER_LANDLOCK},
	{"seccomp_filter", REQUIRED, ask_seccomp, "use a kernel with CONFIG_SECCOMP_FILTER",
	 LAYER_SECCOMP},
	{"seccomp_notification", REQUIRED, ask_notification,
	 "use Linux 5.19 or newer; under a supervisor that has a listener itself (busy), take "
	 "denial_events out of isolation.layers_required: denials are then not told of",
	 LAYER_DENIAL_EVENTS},
	{"cgroups", OPTIONAL, ask_cgroups,
	 "delegate memory, pids and cpu to the service (systemd: Delegate=yes; container: a "
	 "writable cgroup); without them only rlimits bound a job",
	 LAYERS_OF_GROUPS},
	{"no_new_privileges", REQUIRED, ask_privileges,
	 "start the service as root or as an ordinary user, not as one with a few capabilities",
	 LAYER_NO_NEW_PRIVILEGES | LAYER_NO_CAPABILITIES | LAYER_RLIMITS},
	{"own_uid", OPTIONAL, ask_own_uid,
	 "start the service as root: each worker then has a user of its own", LAYER_OWN_UID},
	{"capabilities", REQUIRED, ask_capabilities,
	 "give them to the container, or start the service as an ordinary user", 0},
	{"capabilities_of_the_warden", REQUIRED_ON_HOST, ask_warden_capabilities,
	 "give them to the container, or start the service as an ordinary user", 0},
	{"processes_of_others", REQUIRED_ON_HOST, ask_processes,
	 "mount /proc without hidepid (systemd: ProtectProc=default), or start the service "
	 "as an ordinary user",
	 0},
	{"memfd_sealing", REQUIRED, ask_memfd, NEWER("3.17"), 0},
	{"pidfd", REQUIRED, ask_pidfd, NEWER("5.3"), 0},
	{"clone3", REQUIRED, ask_clone3, NEWER("5.3"), LAYERS_OF_CELL},
	{"close_range", REQUIRED, ask_close_range, NEWER("5.9"), 0},
	{"openat2", REQUIRED, ask_openat2, NEWER("5.6"), 0},
	{"core_scheduling", OPTIONAL, ask_core_scheduling,
	 "use a kernel with CONFIG_SCHED_CORE, or switch simultaneous multithreading off "
	 "(nosmt)",
	 LAYER_CORE_SCHEDULING},
};
const size_t questions_kernel_count = ARRAY_COUNT(questions_kernel);
