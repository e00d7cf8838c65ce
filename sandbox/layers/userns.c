#include "sandbox/layers/userns.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* A map line has three numbers of at most ten digits. */
#define MAP_BYTES 48

/* The kernel takes a map in exactly one write(2). */
static int write_file(int folder_fd, const char *path, const char *text, struct err *err)
{
	own_fd fd = openat(folder_fd, path, O_WRONLY | O_CLOEXEC);
	ssize_t length = (ssize_t)strlen(text);

	if (fd < 0)
		return err_errno(err, errno, "open /proc/%s", path);
	if (write(fd, text, (size_t)length) != length)
		return err_errno(err, errno, "write '%.*s' to /proc/%s",
				 (int)strcspn(text, "\n"), text, path);
	return 0;
}

static int write_map(int proc_fd, const char *process, const char *map, const char *line,
		     struct err *err)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", process, map);
	return write_file(proc_fd, path, line, err);
}

int userns_write_maps(int proc_fd, pid_t pid, uint32_t uid, struct err *err)
{
	char process[16];
	char line[MAP_BYTES];
	int status;

	(void)snprintf(process, sizeof(process), "%d", (int)pid);
	(void)snprintf(line, sizeof(line), "%u %u 1\n", CELL_UID, uid);
	status = write_map(proc_fd, process, "uid_map", line, err);
	return status < 0 ? status : write_map(proc_fd, process, "gid_map", line, err);
}

/* The helper child: waits until its parent has left for the new namespace, then maps it. It has
 * the rights of the old namespace, which writing a map of more than one line needs. */
static int helper_run(pid_t parent, int wait_fd, const char *line)
{
	char process[16];
	char ready;
	own_fd proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (proc_fd < 0)
		return errno;
	if (read(wait_fd, &ready, 1) != 1)
		return ECANCELED;
	(void)snprintf(process, sizeof(process), "%d", (int)parent);
	if (write_map(proc_fd, process, "uid_map", line, NULL) < 0 ||
	    write_map(proc_fd, process, "gid_map", line, NULL) < 0)
		return errno;
	return 0;
}

static int helper_wait(pid_t helper, uint32_t uid_first, uint32_t uid_count, struct err *err)
{
	int how;

	while (waitpid(helper, &how, 0) < 0)
		if (errno != EINTR)
			return err_errno(err, errno,
					 "wait for the helper that writes the maps");
	if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
		return 0;
	return err_errno(
		err, WIFEXITED(how) ? WEXITSTATUS(how) : EIO,
		"map the uids and gids %u to %u: they must exist where the service runs "
		"(inside a container: in its own map); they start at uid_base",
		uid_first, uid_first + (uid_count - 1));
}

static int enter_as_root(uint32_t uid_first, uint32_t uid_count, struct err *err)
{
	char line[MAP_BYTES];
	int go[2];
	pid_t parent = getpid();
	pid_t helper;
	int failed;

	(void)snprintf(line, sizeof(line), "0 %u %u\n", uid_first, uid_count);
	/* Before the new namespace: there the old groups have no name any more. */
	if (setgroups(0, NULL) != 0)
		return err_errno(err, errno, "drop supplementary groups");
	if (pipe2(go, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe");
	helper = fork();
	if (helper == 0) {
		(void)close(go[1]);
		_exit(helper_run(parent, go[0], line));
	}
	(void)close(go[0]);
	failed = helper < 0 || unshare(CLONE_NEWUSER) != 0 || write(go[1], "", 1) != 1 ? errno
										       : 0;
	(void)close(go[1]);
	if (helper > 0 && failed != 0)
		(void)waitpid(helper, NULL, 0);
	if (failed != 0)
		return err_errno(err, failed,
				 "make a user namespace (user.max_user_namespaces)");
	return helper_wait(helper, uid_first, uid_count, err);
}

static int enter_as_user(struct err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char uid_line[MAP_BYTES];
	char gid_line[MAP_BYTES];
	int status;

	(void)snprintf(uid_line, sizeof(uid_line), "0 %u 1\n", uid);
	(void)snprintf(gid_line, sizeof(gid_line), "0 %u 1\n", gid);
	if (unshare(CLONE_NEWUSER) != 0)
		return err_errno(
			err, errno,
			"make a user namespace as an ordinary user (allow it: "
			"user.max_user_namespaces > 0, kernel.unprivileged_userns_clone=1)");
	/* A gid may be mapped without privilege only once setgroups(2) is off, because leaving
	 * a group could otherwise give access that the group's membership takes away. */
	status = write_file(AT_FDCWD, "/proc/self/setgroups", "deny", err);
	if (status == 0)
		status = write_file(AT_FDCWD, "/proc/self/uid_map", uid_line, err);
	if (status == 0)
		status = write_file(AT_FDCWD, "/proc/self/gid_map", gid_line, err);
	if (status < 0)
		return err_prefix(err,
				  "kernel.apparmor_restrict_unprivileged_userns must be 0");
	return 0;
}

int userns_enter(uint32_t uid_first, uint32_t uid_count, struct err *err)
{
	int is_root = geteuid() == 0;
	int status;

	/* A single mapping of root would make the sandbox's 0 the host's 0. */
	if (is_root && (uid_first == 0 || uid_count < 2))
		return err_set(err, EINVAL,
			       "started as root, the sandbox needs a range of uids");
	if (!is_root && uid_count != 0)
		return err_set(err, EINVAL, "only root can map a range of uids");
	if (is_root && uid_first > UINT32_MAX - uid_count)
		return err_set(err, ERANGE, "uid range %u + %u is too high", uid_first,
			       uid_count);
	status = is_root ? enter_as_root(uid_first, uid_count, err) : enter_as_user(err);
	if (status < 0)
		return status;
	if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
		return err_errno(err, errno, "become user 0 of the new namespace");
	return userns_check(is_root ? uid_count : 1, err);
}

static int check_map(const char *path, uint32_t count, struct err *err)
{
	char text[256] = {0};
	own_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned inside, outside, mapped;
	char extra;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return err_errno(err, errno, "read %s", path);
	/* One line and no second one; never the host's root. */
	if (sscanf(text, " %u %u %u %c", &inside, &outside, &mapped, &extra) != 3 ||
	    inside != 0 || outside == 0 || mapped != count)
		return err_set(err, EPERM, "%s is not the map that was asked for", path);
	return 0;
}

int userns_check(uint32_t uid_count, struct err *err)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;
	int status;

	if (getresuid(&ruid, &euid, &suid) != 0 || getresgid(&rgid, &egid, &sgid) != 0)
		return err_errno(err, errno, "read the user back");
	if ((ruid | euid | suid) != 0 || (rgid | egid | sgid) != 0)
		return err_set(err, EPERM, "not user 0 of the sandbox's user namespace");
	status = check_map("/proc/self/uid_map", uid_count, err);
	return status < 0 ? status : check_map("/proc/self/gid_map", uid_count, err);
}
