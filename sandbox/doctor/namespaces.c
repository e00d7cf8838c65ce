#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sandbox/doctor/doctor.h"
#include "sandbox/layers/netns.h"
#include "sandbox/layers/root.h"
#include "sandbox/layers/userns.h"
#include "schema/status.h"

static void ask_user(struct finding *finding)
{
	try_in_child(enter_user_namespace, finding);
	if (finding->answer == ANSWER_USABLE)
		answer(finding, ANSWER_USABLE,
		       geteuid() == 0 ? "with a range of uids" : "with a single uid");
}

static int unshare_inside(int flag, struct err *err)
{
	int status = enter_user_namespace(err);

	if (status == 0 && unshare(flag) != 0)
		status = err_errno(err, errno, "unshare");
	return status;
}

static int try_ipc(struct err *err)
{
	return unshare_inside(CLONE_NEWIPC, err);
}

static int try_uts(struct err *err)
{
	return unshare_inside(CLONE_NEWUTS, err);
}

static int try_cgroup(struct err *err)
{
	return unshare_inside(CLONE_NEWCGROUP, err);
}

static int try_pid(struct err *err)
{
	return unshare_inside(CLONE_NEWPID, err);
}

static int try_time(struct err *err)
{
	return unshare_inside(CLONE_NEWTIME, err);
}

static int try_network(struct err *err)
{
	int status = enter_user_namespace(err);
	int fd = -1;

	if (status == 0)
		status = netns_new(&fd, err);
	if (status == 0 && setns(fd, CLONE_NEWNET) != 0)
		status = err_errno(err, errno, "join it");
	return status < 0 ? status : netns_check(err);
}

static int try_root(struct err *err)
{
	int status = enter_user_namespace(err);

	return status < 0 ? status : root_enter("/usr", 0, err);
}

/* A user namespace in a user namespace, mapped from outside, all kinds at once: a cell. */
static int try_cell(struct err *err)
{
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
			 CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME,
		.exit_signal = SIGCHLD,
	};
	int status = enter_user_namespace(err);
	long pid;
	int how;

	if (status < 0)
		return status;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		syscall(SYS_exit_group, getpid() == 1 ? 0 : 1);
	if (pid < 0)
		return err_errno(err, errno, "clone3");
	if (waitpid((pid_t)pid, &how, 0) != pid || how != 0)
		return err_set(err, EPERM, "its first process is not pid 1");
	return 0;
}

#define ASK(name)                                       \
	static void ask_##name(struct finding *finding) \
	{                                               \
		try_in_child(try_##name, finding);      \
	}
ASK(ipc)
ASK(uts)
ASK(cgroup)
ASK(pid)
ASK(time)
ASK(network)
ASK(root)
ASK(cell)

#define KERNEL_OPTION(name) "use a kernel built with CONFIG_" name

const struct question questions_namespaces[] = {
	{"user_namespace", REQUIRED, ask_user,
	 "set user.max_user_namespaces above 0 and, where they exist, "
	 "kernel.unprivileged_userns_clone=1 and "
	 "kernel.apparmor_restrict_unprivileged_userns=0; "
	 "in a container allow unshare and clone with CLONE_NEW* in its seccomp profile",
	 LAYER_USER_NAMESPACE},
	{"mount_namespace_and_root", REQUIRED, ask_root,
	 "Linux 5.12 or newer; in a container allow mount, umount2, pivot_root, open_tree, "
	 "move_mount and mount_setattr in its seccomp profile",
	 LAYER_MOUNT_NAMESPACE | LAYER_MINIMAL_ROOT},
	{"pid_namespace", REQUIRED, ask_pid, KERNEL_OPTION("PID_NS"), LAYER_PID_NAMESPACE},
	{"network_namespace", REQUIRED, ask_network, KERNEL_OPTION("NET_NS"),
	 LAYER_NETWORK_NAMESPACE},
	{"ipc_namespace", REQUIRED, ask_ipc, KERNEL_OPTION("IPC_NS"), LAYER_IPC_NAMESPACE},
	{"uts_namespace", REQUIRED, ask_uts, KERNEL_OPTION("UTS_NS"), LAYER_UTS_NAMESPACE},
	{"cgroup_namespace", REQUIRED, ask_cgroup, KERNEL_OPTION("CGROUPS"),
	 LAYER_CGROUP_NAMESPACE},
	{"time_namespace", REQUIRED, ask_time, KERNEL_OPTION("TIME_NS"), LAYER_TIME_NAMESPACE},
	{"cell", REQUIRED, ask_cell, "allow clone3 with CLONE_NEW* and nested user namespaces",
	 LAYERS_OF_CELL},
};
const size_t questions_namespaces_count = ARRAY_COUNT(questions_namespaces);
