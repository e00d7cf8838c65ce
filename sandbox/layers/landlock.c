#include "sandbox/layers/landlock.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/confine.h"
#include "sandbox/layers/root.h"

/* Rights that newer ABIs added; confine_landlock() leaves out what the kernel does not know. */
#define ACCESS_REFER	(1ull << 13)
#define ACCESS_TRUNCATE (1ull << 14)

#define FILE_READ   (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE)
#define FOLDER_READ (FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR)

/* Everything a program does with its own files, but neither execute them nor make devices
 * or sockets. */
#define FOLDER_WRITE                                                     \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |    \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |  \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_FIFO |    \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | ACCESS_REFER | ACCESS_TRUNCATE)

/* Entries of /, all of them ours (root.c); more than this is not a root of root_enter(). */
#define RULES_MAX 64

struct rules {
	struct confine_folder list[RULES_MAX];
	size_t count;
};

static int add_rule(struct rules *rules, int folder_fd, const char *path, uint64_t access,
		    struct err *err)
{
	int fd = openat(folder_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, errno, "Landlock: open %s", path);
	if (rules->count == RULES_MAX) {
		(void)close(fd);
		return err_set(err, E2BIG, "Landlock: more than %d entries in /", RULES_MAX);
	}
	rules->list[rules->count++] = (struct confine_folder){.fd = fd, .access = access};
	return 0;
}

static void rules_done(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		fd_drop(&rules->list[i].fd);
	rules->count = 0;
}

/* One entry of /. A rule on / itself would reach into the workspace, so each gets its own. */
static int add_entry(struct rules *rules, int root_fd, const char *name, struct err *err)
{
	struct stat info;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (strcmp(name, &ROOT_WORKSPACE[1]) == 0 || strcmp(name, &ROOT_TMP[1]) == 0)
		return add_rule(rules, root_fd, name, FOLDER_WRITE, err);
	if (fstatat(root_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return err_errno(err, errno, "Landlock: stat /%s", name);
	if (S_ISLNK(info.st_mode))
		return 0;
	return add_rule(rules, root_fd, name, S_ISDIR(info.st_mode) ? FOLDER_READ : FILE_READ,
			err);
}

/* readdir(3) without malloc: the caller is a fork of an interpreter with its own allocator. */
static int add_entries(struct rules *rules, int root_fd, struct err *err)
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
	struct rules rules = {.count = 0};
	int status;

	if (root < 0)
		return err_errno(err, errno, "Landlock: open /");
	status = add_entries(&rules, root, err);
	if (status == 0)
		status = add_rule(&rules, AT_FDCWD, "/dev/null",
				  LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
				  err);
	/* Listing the root itself; what lies below has its own rules and no file right from
	 * here. */
	if (status == 0)
		status = add_rule(&rules, AT_FDCWD, "/", LANDLOCK_ACCESS_FS_READ_DIR, err);
	if (status == 0)
		status = confine_landlock(abi_min, rules.list, rules.count, ret_abi, err);
	rules_done(&rules);
	return status;
}
