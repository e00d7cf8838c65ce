#include "sandbox/layers/landlock.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "sandbox/layers/landlock_rules.h"
#include "sandbox/layers/root.h"
#include "sandbox/layers/workspace_folder.h"

/* One entry of /. A rule on / itself would reach into the workspace, so each gets its own. */
static int add_entry(struct landlock_rules *rules, int root_fd, const char *name,
		     struct err *err)
{
	struct stat info;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (strcmp(name, &ROOT_WORKSPACE[1]) == 0 || strcmp(name, &ROOT_TMP[1]) == 0)
		return landlock_rules_add(rules, root_fd, name, O_NOFOLLOW,
					  LANDLOCK_FOLDER_WRITE, err);
	if (fstatat(root_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return err_errno(err, errno, "Landlock: stat /%s", name);
	if (S_ISLNK(info.st_mode))
		return 0;
	return landlock_rules_add(
		rules, root_fd, name, O_NOFOLLOW,
		S_ISDIR(info.st_mode) ? LANDLOCK_FOLDER_READ : LANDLOCK_FILE_READ, err);
}

/* readdir(3) without malloc: the caller is a fork of an interpreter with its own allocator. */
static int add_entries(struct landlock_rules *rules, int root_fd, struct err *err)
{
	_Alignas(struct dirent64) char buffer[4096];
	long length;

	while ((length = syscall(SYS_getdents64, root_fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < length;) {
			const struct dirent64 *entry = (const void *)(buffer + at);
			int status = add_entry(rules, root_fd, entry->d_name, err);

			if (status < 0)
				return status;
			at += entry->d_reclen;
		}
	}
	return length < 0 ? err_errno(err, errno, "Landlock: list /") : 0;
}

int landlock_worker(unsigned abi_min, unsigned *ret_abi, struct err *err)
{
	own_fd root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct landlock_rules rules = {.count = 0};
	int status;

	if (root < 0)
		return err_errno(err, errno, "Landlock: open /");
	status = add_entries(&rules, root, err);
	if (status == 0)
		status = landlock_rules_add(
			&rules, AT_FDCWD, "/dev/null", O_NOFOLLOW,
			LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE, err);
	/* Listing the root itself; what lies below has its own rules and no file right from
	 * here. */
	if (status == 0)
		status = landlock_rules_add(&rules, AT_FDCWD, "/", O_NOFOLLOW,
					    LANDLOCK_ACCESS_FS_READ_DIR, err);
	if (status == 0)
		status = confine_landlock(abi_min, rules.list, rules.count, ret_abi, err);
	landlock_rules_done(&rules);
	return status;
}

/* What the kernel shows of every process, and the surest sign of a rule too many. */
static int prove_hidden(struct err *err)
{
	own_fd status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	return status < 0 ? 0
			  : err_set(err, EPERM, "Landlock does not hold: /proc can be read");
}

int landlock_worker_on_host(const char *root_paths, unsigned abi_min, unsigned *ret_abi,
			    struct err *err)
{
	struct landlock_rules rules = {.count = 0};
	int status = landlock_rules_add_system(&rules, root_paths, err);

	if (status == 0)
		status = landlock_rules_add(&rules, AT_FDCWD, ".", O_NOFOLLOW,
					    LANDLOCK_FOLDER_WRITE, err);
	if (status == 0)
		status = landlock_rules_add(&rules, AT_FDCWD, "../" WORKSPACE_TMP, O_NOFOLLOW,
					    LANDLOCK_FOLDER_WRITE, err);
	if (status == 0)
		status = confine_landlock(abi_min, rules.list, rules.count, ret_abi, err);
	landlock_rules_done(&rules);
	return status < 0 ? status : prove_hidden(err);
}
