#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sandbox/layers/root.h"
#include "tests/unit/layers/child.h"

TestSuite(root, .timeout = 20);

static int is_expected(const char *name)
{
	static const char *const names[] = {".",	 "..",	  "usr",   "etc", "dev",
					    "workspace", "tmp",	  "bin",   "lib", "sbin",
					    "lib64",	 "lib32", "libx32"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return 1;
	return 0;
}

static int list(const void *data)
{
	const struct dirent *entry;
	DIR *folder;

	(void)data;
	if (child_enter_root() < 0)
		return 1;
	folder = opendir("/");
	while ((entry = readdir(folder)) != NULL)
		if (!is_expected(entry->d_name))
			return 2;
	return access("/usr/bin/env", X_OK) == 0 && access("/bin/sh", X_OK) == 0 ? 0 : 3;
}

Test(root, holds_nothing_but_what_was_asked_for)
{
	cr_assert(eq(int, child_run(list, NULL), 0));
}

static int write_everywhere(const void *data)
{
	static const char *const paths[] = {"/x",	   "/usr/x", "/usr/bin/x",   "/etc/x",
					    "/etc/passwd", "/dev/x", "/workspace/x", "/tmp/x"};

	(void)data;
	if (child_enter_root() < 0)
		return 1;
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
		if (open(paths[i], O_WRONLY | O_CREAT, 0600) >= 0 || errno != EROFS)
			return 10 + (int)i;
	/* The flags of /usr were there before and after: remounting it writable must fail for
	 * the host's file system even with every capability of U0. */
	if (utimensat(AT_FDCWD, "/dev/null", NULL, 0) == 0 || chmod("/dev/null", 0600) == 0)
		return 2;
	return 0;
}

Test(root, is_read_only)
{
	cr_assert(eq(int, child_run(write_everywhere, NULL), 0));
}

static int use_devices(const void *data)
{
	char byte = 1;
	int null = -1, zero = -1, random_fd = -1;

	(void)data;
	if (child_enter_root() < 0)
		return 1;
	null = open("/dev/null", O_RDWR);
	zero = open("/dev/zero", O_RDONLY);
	random_fd = open("/dev/urandom", O_RDONLY);
	if (write(null, "x", 1) != 1 || read(null, &byte, 1) != 0)
		return 2;
	if (read(zero, &byte, 1) != 1 || byte != 0 || read(random_fd, &byte, 1) != 1)
		return 3;
	return access("/dev/full", F_OK) == 0 || access("/dev/tty", F_OK) == 0 ||
			       access("/dev/vda", F_OK) == 0
		       ? 4
		       : 0;
}

Test(root, has_four_devices)
{
	cr_assert(eq(int, child_run(use_devices, NULL), 0));
}

static int look_for_secrets(const void *data)
{
	static const char *const paths[] = {
		"/proc",    "/sys",	     "/root",	 "/home",     "/run",
		"/var",	    "/etc/shadow",   "/boot",	 "/mnt",      "/opt",
		"/etc/ssl", "/etc/hostname", "/../proc", "/proc/self"};
	char text[512] = {0};

	(void)data;
	if (child_enter_root() < 0)
		return 1;
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
		if (access(paths[i], F_OK) == 0)
			return 10 + (int)i;
	if (read(open("/etc/passwd", O_RDONLY), text, sizeof(text) - 1) <= 0)
		return 2;
	return strstr(text, "job:x:1000:") != NULL && strstr(text, "daemon") == NULL ? 0 : 3;
}

Test(root, shows_nothing_of_the_host)
{
	cr_assert(eq(int, child_run(look_for_secrets, NULL), 0));
}

static int run_program(const void *data)
{
	pid_t pid;
	int how;

	(void)data;
	if (child_enter_root() < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", "exit 42", (char *)NULL);
		_exit(99);
	}
	return waitpid(pid, &how, 0) == pid && WEXITSTATUS(how) == 42 ? 0 : 2;
}

Test(root, runs_programs)
{
	cr_assert(eq(int, child_run(run_program, NULL), 0));
}

static int enter_with(const void *data)
{
	struct err err = {0};

	if (child_enter_userns() < 0)
		return 1;
	return root_enter(data, 0, &err) < 0 && err.text[0] != '\0' ? 0 : 2;
}

Test(root, a_missing_or_strange_path_is_an_error)
{
	cr_assert(eq(int, child_run(enter_with, "/usr,/no/such/folder"), 0));
	cr_assert(eq(int, child_run(enter_with, "usr"), 0));
	cr_assert(eq(int, child_run(enter_with, "/usr,,/etc/alternatives"), 0));
	cr_assert(eq(int, child_run(enter_with, "/usr/../root"), 0));
	cr_assert(eq(int, child_run(enter_with, "/usr/.."), 0));
	cr_assert(eq(int, child_run(enter_with, "/"), 0));
}

static int check_host(const void *data)
{
	struct err err = {0};

	(void)data;
	return root_check(&err) < 0 ? 0 : 1;
}

Test(root, the_check_notices_the_hosts_root)
{
	cr_assert(eq(int, child_run(check_host, NULL), 0));
}

static int without_rights(const void *data)
{
	struct err err = {0};

	(void)data;
	if (child_is_root() && setresuid(65534, 65534, 65534) != 0)
		return 1;
	return root_enter(TEST_ROOT_PATHS, 0, &err) < 0 ? 0 : 2;
}

Test(root, without_a_user_namespace_it_fails)
{
	cr_assert(eq(int, child_run(without_rights, NULL), 0));
}
