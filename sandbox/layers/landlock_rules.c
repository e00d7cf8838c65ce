#include "sandbox/layers/landlock_rules.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES_MAX 1024 /* one of root_paths; those of root.c are as long */

/* Links into /usr where that is merged, folders of their own where not. */
static const char *const system_names[] = {"/bin",   "/lib",	"/lib32",
					   "/lib64", "/libx32", "/sbin"};

static const struct {
	const char *path;
	uint64_t access;
} devices[] = {
	{"/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE},
	{"/dev/zero", LANDLOCK_ACCESS_FS_READ_FILE},
	{"/dev/random", LANDLOCK_ACCESS_FS_READ_FILE},
	{"/dev/urandom", LANDLOCK_ACCESS_FS_READ_FILE},
};

int landlock_rules_add(struct landlock_rules *rules, int folder_fd, const char *path, int flags,
		       uint64_t access, struct err *err)
{
	int fd = openat(folder_fd, path, O_PATH | O_CLOEXEC | flags);

	if (fd < 0)
		return err_errno(err, errno, "Landlock: open %s", path);
	if (rules->count == LANDLOCK_RULES_MAX) {
		(void)close(fd);
		return err_set(err, E2BIG, "Landlock: more than %d rules", LANDLOCK_RULES_MAX);
	}
	rules->list[rules->count++] = (struct confine_folder){.fd = fd, .access = access};
	return 0;
}

static int add_readable(struct landlock_rules *rules, const char *path, struct err *err)
{
	struct stat info;

	if (stat(path, &info) != 0)
		return err_errno(err, errno, "Landlock: stat %s", path);
	/* The kernel refuses a rule that gives rights of folders on a file. */
	return landlock_rules_add(
		rules, AT_FDCWD, path, 0,
		S_ISDIR(info.st_mode) ? LANDLOCK_FOLDER_READ : LANDLOCK_FILE_READ, err);
}

static int add_listed(struct landlock_rules *rules, const char *paths, struct err *err)
{
	char path[PATH_BYTES_MAX];
	int status = 0;

	while (status == 0 && *paths != '\0') {
		size_t length = strcspn(paths, ",");

		if (length == 0 || length >= sizeof(path) || paths[0] != '/')
			return err_set(err, EINVAL, "Landlock: bad path in '%s'", paths);
		memcpy(path, paths, length);
		path[length] = '\0';
		if (strncmp(path, "/etc/", 5) != 0 || access(path, F_OK) == 0)
			status = add_readable(rules, path, err);
		paths += length + (paths[length] == ',');
	}
	return status;
}

int landlock_rules_add_system(struct landlock_rules *rules, const char *root_paths,
			      struct err *err)
{
	int status = add_listed(rules, root_paths, err);

	for (size_t i = 0; i < ARRAY_COUNT(system_names) && status == 0; i++)
		if (access(system_names[i], F_OK) == 0)
			status = add_readable(rules, system_names[i], err);
	for (size_t i = 0; i < ARRAY_COUNT(devices) && status == 0; i++)
		status = landlock_rules_add(rules, AT_FDCWD, devices[i].path, O_NOFOLLOW,
					    devices[i].access, err);
	return status;
}

void landlock_rules_done(struct landlock_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		fd_drop(&rules->list[i].fd);
	rules->count = 0;
}
