#include "sandbox/zygote/worker.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sandbox/layers/step_failed.h"
#include "sandbox/layers/workspace_folder.h"
#include "sandbox/zygote/job.h"
#include "sandbox/zygote/leave.h"
#include "schema/wire/warden_worker.h"

/* Where the channel lies while a job runs: out of the way of the small numbers that programs
 * expect to get, and inside the first 64, so that the kernel need not enlarge the table. */
#define CHANNEL_FD 63

static int step_enter_place(struct worker *worker, struct err *err)
{
	if (!lockdown_has_cell(&worker->lockdown))
		return lockdown_enter_folder(worker->place_fd, err);
	return lockdown_join(worker->place_fd, worker->lockdown.layers_disabled,
			     &worker->layers, err);
}

/* "0" means the writer itself, whatever its number is in which pid namespace. Version 2 checks
 * the rights of the file's opener, version 1 of old kernels the writer's: before the uid
 * changes. */
static int step_join_cgroups(struct worker *worker, struct err *err)
{
	for (unsigned i = 0; i < worker->cgroup_count; i++)
		if (write(worker->cgroup_fds[i], "0", 1) != 1)
			return err_errno(err, errno, "join cgroup %u", i);
	return 0;
}

static int place(int from, int to, struct err *err)
{
	if (dup2(from, to) != to)
		return err_errno(err, errno, "place descriptor %d", to);
	return 0;
}

/* After this the worker holds nothing of the zygote's and nothing of the warden's but the
 * channel and the pipes, and one memfd that the last layer needs and closes. */
static int step_descriptors(struct worker *worker, struct err *err)
{
	own_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int filter = worker->lockdown.seccomp_memfd;
	int status;

	if (null < 0)
		return err_errno(err, errno, "open /dev/null");
	status = place(null, 0, err);
	if (status == 0)
		status = place(worker->stdout_fd, 1, err);
	if (status == 0)
		status = place(worker->stderr_fd, 2, err);
	if (status < 0)
		return status;
	if (dup3(worker->channel, CHANNEL_FD, O_CLOEXEC) < 0 ||
	    dup3(filter, CHANNEL_FD - 1, O_CLOEXEC) < 0)
		return err_errno(err, errno, "place the channel");
	worker->channel = CHANNEL_FD;
	worker->lockdown.seccomp_memfd = CHANNEL_FD - 1;
	null = -1;
	if (syscall(SYS_close_range, 3, CHANNEL_FD - 2, 0) != 0 ||
	    syscall(SYS_close_range, CHANNEL_FD + 1, ~0u, 0) != 0)
		return err_errno(err, errno, "close the zygote's descriptors");
	return 0;
}

static int step_workspace(struct worker *worker, struct err *err)
{
	/* A folder of the host was entered by descriptor, as the first step. */
	if (!lockdown_has_cell(&worker->lockdown))
		return 0;
	return chdir(JOB_WORKSPACE) == 0 ? 0 : err_errno(err, errno, "chdir " JOB_WORKSPACE);
}

static int step_uid(struct worker *worker, struct err *err)
{
	return lockdown_become_user(&worker->lockdown, err);
}

/* A change of uid clears the death signal, so it comes after. The parent is the warden
 * (CLONE_PARENT); had it died already, the channel reads as closed and the worker ends anyway.
 */
static int step_death_signal(struct worker *worker, struct err *err)
{
	(void)worker;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return err_errno(err, errno, "set the parent-death signal");
	return 0;
}

/* A session of its own: no terminal can be reached, and the job cannot signal the zygote's
 * process group. */
static int step_session(struct worker *worker, struct err *err)
{
	(void)worker;
	return setsid() < 0 ? err_errno(err, errno, "start a session") : 0;
}

/* In a cell /workspace and /tmp are the worker's own. On the host its folders have names of
 * their own, which the job finds where programs look for such names. As the worker's own user,
 * so that a folder above that it may not pass shows here. */
static int tell_folders(const struct zygote_ops *ops, struct err *err)
{
	static const char *const temporary[] = {"TMPDIR", "XDG_CACHE_HOME", "MPLCONFIGDIR"};
	char path[PATH_MAX + sizeof("/../" WORKSPACE_TMP)];
	int status;

	if (getcwd(path, PATH_MAX) == NULL || access(path, R_OK | W_OK | X_OK) != 0)
		return err_errno(err, errno,
				 "reach the workspace by its path: every folder above "
				 "isolation.workspaces must let the workers' users pass");
	status = ops->add_variable("HOME", 4, path, strlen(path), err);
	/* Beside `files`, the last part of the path. */
	memcpy(strrchr(path, '/') + 1, WORKSPACE_TMP, sizeof(WORKSPACE_TMP));
	for (size_t i = 0; i < ARRAY_COUNT(temporary) && status == 0; i++)
		status = ops->add_variable(temporary[i], strlen(temporary[i]), path,
					   strlen(path), err);
	return status;
}

/* From here on an interpreter may run again. Before the filter, because reseeding may open
 * devices. */
static int step_interpreter(struct worker *worker, struct err *err)
{
	int status;

	worker->ops->fork_child();
	status = worker->ops->enter(err);
	if (status == 0 && !lockdown_has_cell(&worker->lockdown))
		status = tell_folders(worker->ops, err);
	return status;
}

/* rlimits, capabilities and no_new_privs, Landlock, seccomp: in that order, see lockdown.h. */
static int step_lockdown(struct worker *worker, struct err *err)
{
	uint32_t layers = 0;
	int status = lockdown_finish(&worker->lockdown, &layers, &worker->landlock_abi, err);

	worker->layers |= layers;
	fd_drop(&worker->lockdown.seccomp_memfd);
	return status;
}

/* Behind the wall, so that a call of the job path that the filter refuses shows here. */
static int step_rehearse(struct worker *worker, struct err *err)
{
	return worker->ops->rehearse(err);
}

static long try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static long try_user_namespace(void)
{
	return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */);
}

static long try_mount(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static long try_root(void)
{
	return setresuid(0, 0, 0);
}

static long try_system_file(void)
{
	return open("/etc/casemate-proof", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long try_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

/* Each is stopped by several layers; in test builds only if one of them is left. */
static const struct proof {
	const char *what;
	uint32_t layers; /* any one of these stops it */
	long (*attempt)(void);
	bool is_told; /* the filter tells the warden of it */
} proofs[] = {
	{"an internet socket", LAYER_SECCOMP, try_socket, true},
	{"a user namespace", LAYER_SECCOMP, try_user_namespace, true},
	{"a mount", LAYER_NO_CAPABILITIES | LAYER_SECCOMP, try_mount, true},
	{"becoming root", LAYER_NO_CAPABILITIES | LAYER_SECCOMP, try_root, true},
	{"writing to the root", LAYER_MINIMAL_ROOT | LAYER_LANDLOCK, try_system_file, false},
	{"tracing", LAYER_SECCOMP, try_trace, true},
};

static int step_prove(struct worker *worker, struct err *err)
{
	uint32_t on = level_layers(worker->lockdown.level) & ~worker->lockdown.layers_disabled;

	for (size_t i = 0; i < ARRAY_COUNT(proofs); i++) {
		/* The warden does not answer before WORKER_READY. After it, it sees for itself
		 * that the filter holds. */
		if (proofs[i].is_told && worker->lockdown.listener_fd > 0)
			continue;
		if ((proofs[i].layers & on) != 0 && proofs[i].attempt() >= 0)
			return err_set(err, EPERM, "confinement failed: %s was possible",
				       proofs[i].what);
	}
	return 0;
}

/*
 * The order, and why: rights of the service's user namespace end with the first step; cgroups
 * before memory of the job's own is touched; descriptors before anything else can be inherited
 * by accident; uid before what a change of uid would undo; the interpreter before the layers
 * that would refuse its start-up calls; seccomp is the last layer because it forbids making the
 * others. Nothing of a job is read before all of it has held.
 */
static const struct step {
	const char *name;
	int (*run)(struct worker *worker, struct err *err);
} steps[] = {
	{"join namespaces", step_enter_place},
	{"join cgroups", step_join_cgroups},
	{"descriptors", step_descriptors},
	{"workspace", step_workspace},
	{"uid", step_uid},
	{"death signal", step_death_signal},
	{"session", step_session},
	{"interpreter", step_interpreter},
	{"lockdown", step_lockdown},
	{"rehearse", step_rehearse},
	{"prove", step_prove},
};

static int run_step(struct worker *worker, const struct step *step, struct err *err)
{
#ifdef CASEMATE_TEST_BUILD
	if (strcmp(worker->fail_step, step->name) == 0)
		return err_set(err, EIO, "made to fail");
#endif
	return step->run(worker, err);
}

_Noreturn static void worker_fail(const struct worker *worker, const char *step,
				  struct err *why)
{
	err_ignore(err_prefix(why, "%s", step), "the text is wanted");
	err_ignore(step_failed_send(worker->channel, WORKER_FAILED, 0, why, NULL),
		   "the warden sees the process end as well");
	leave(LEAVE_NOT_READY);
}

static int say_ready(const struct worker *worker, struct err *err)
{
	struct worker_ready ready = {.layers = worker->layers,
				     .landlock_abi = worker->landlock_abi,
				     .listener_fd = (uint32_t)worker->lockdown.listener_fd};
	uint8_t body[16];
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	worker_ready_encode(&wr, &ready);
	return chan_send_blocking(worker->channel, WORKER_READY, 0, body, wr.length, NULL, 0,
				  err);
}

static int start(const struct worker *worker, struct err *err)
{
	return worker->ops->start == NULL ? 0 : worker->ops->start(err);
}

/* Where denials are told, starting a program is told too, so the warden must be listening:
 * after WORKER_READY. The worker is ready for it only with the proof that follows. */
static int get_ready(struct worker *worker, struct err *err)
{
	bool is_told = worker->lockdown.listener_fd > 0;
	int status = is_told ? 0 : start(worker, err);

	if (status < 0)
		return status;
	if (say_ready(worker, err) < 0)
		leave(LEAVE_NOT_READY);
	return is_told ? start(worker, err) : 0;
}

_Noreturn void worker_main(struct worker *worker)
{
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_COUNT(steps); i++)
		if (run_step(worker, &steps[i], &err) < 0)
			worker_fail(worker, steps[i].name, &err);
	if (get_ready(worker, &err) < 0)
		worker_fail(worker, "start", &err);
	if (lockdown_prove_telling(&worker->lockdown, &err) < 0)
		worker_fail(worker, "prove", &err);
	job_serve(worker->channel, worker->ops);
}
