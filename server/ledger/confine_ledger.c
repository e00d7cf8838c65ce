#include "server/ledger/confine_ledger.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/confine.h"

/* The audit database and the file store, each with its log and the index of that. */
#define FILES 6

static const char *const suffixes[FILES] = {"",
					    "-wal",
					    "-shm",
					    CONFINE_FILES_SUFFIX,
					    CONFINE_FILES_SUFFIX "-wal",
					    CONFINE_FILES_SUFFIX "-shm"};

static const struct confine_syscall allowed[] = {
#define ALLOW CONFINE_ALLOW
#include "base/common.seccomp.def"
#include "server/ledger/ledger.seccomp.def"
#undef ALLOW
};

/* ABI 3; older headers do not have it, and confine_landlock() leaves it out on older kernels.
 */
#define ACCESS_TRUNCATE (1ull << 14)
#define FILE_ACCESS \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)

/* A stolen ledger may have left a link to somebody else's file, to be handed over at the next
 * start: only a plain file with one name is taken. */
static int file_prepare(int folder_fd, const char *name, uint32_t uid, int *ret_fd,
			struct err *err)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	own_fd fd = openat(folder_fd, name, flags);
	struct stat info;

	/* Not both at once: in a folder like ours, sticky and writable for the ledger's group,
	 * fs.protected_regular=2 (Debian's default) refuses O_CREAT on a file that exists and
	 * is the ledger's, even to root. */
	if (fd < 0 && errno == ENOENT)
		fd = openat(folder_fd, name, flags | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return err_errno(err, errno, "state directory: open %s", name);
	if (fstat(fd, &info) != 0)
		return err_errno(err, errno, "state directory: look at %s", name);
	if (!S_ISREG(info.st_mode) || info.st_nlink != 1)
		return err_set(
			err, EPERM,
			"state directory: %s is not a plain file with one name: move it away",
			name);
	if (uid != 0 && info.st_uid != uid && fchown(fd, uid, uid) != 0)
		return err_errno(err, errno, "state directory: give %s to user %u", name, uid);
	*ret_fd = fd_take(&fd);
	return 0;
}

/* As root: the folder becomes the root folder, so that what lies above it needs no rights for
 * the new user, and nothing outside has a name. Otherwise: it becomes the working folder. */
static int enter_folder(int folder_fd, uint32_t uid, const char *database, char ret_path[300],
			struct err *err)
{
	if (fchdir(folder_fd) != 0)
		return err_errno(err, errno, "enter the state directory");
	if (uid != 0 && (chroot(".") != 0 || chdir("/") != 0))
		return err_errno(err, errno, "make the state directory the root folder");
	(void)snprintf(ret_path, 300, "%s%s", uid != 0 ? "/" : "", database);
	return 0;
}

static int prove(const char *path, struct err *err)
{
	own_fd folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd made = open("confinement-proof", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	own_fd database = open(path, O_RDWR | O_CLOEXEC);

	if (folder >= 0)
		return err_set(err, EPERM,
			       "confinement failed: the state directory can be listed");
	if (made >= 0)
		return err_set(err, EPERM, "confinement failed: a file can be made");
	if (database < 0)
		return err_errno(err, errno,
				 "open the database %s once confined: its folder must "
				 "be searchable for the ledger's user",
				 path);
	if (syscall(SYS_socket, 16, 3, 0) >= 0)
		return err_set(err, EPERM,
			       "confinement failed: a netlink socket can be opened");
	return confine_prove(0, err);
}

static int confine_files(const struct setup_hello *hello, const int files[FILES],
			 unsigned *ret_abi, struct err *err)
{
	struct confine_folder folders[FILES];
	int status = confine_uid(hello->host_uid, err);

	for (int i = 0; i < FILES; i++)
		folders[i] = (struct confine_folder){.fd = files[i], .access = FILE_ACCESS};
	if (status == 0)
		status = confine_privileges(err);
	if (status == 0)
		status =
			confine_landlock(hello->landlock_abi_min, folders, FILES, ret_abi, err);
	if (status == 0)
		status = confine_seccomp(allowed, ARRAY_COUNT(allowed), err);
	return status;
}

int confine_ledger(const struct setup_hello *hello, int take_folder_fd, const char *database,
		   char ret_path[300], unsigned *ret_abi, struct err *err)
{
	own_fd folder = take_folder_fd;
	int files[FILES] = {-1, -1, -1, -1, -1, -1};
	int status = 0;

	for (int i = 0; status == 0 && i < FILES; i++) {
		char name[300];

		(void)snprintf(name, sizeof(name), "%s%s", database, suffixes[i]);
		status = file_prepare(folder, name, hello->host_uid, &files[i], err);
	}
	/* The names are on the disk before anything is promised to be. */
	if (status == 0 && fsync(folder) != 0)
		status = err_errno(err, errno, "sync the state directory");
	if (status == 0)
		status = enter_folder(folder, hello->host_uid, database, ret_path, err);
	if (status == 0)
		status = confine_files(hello, files, ret_abi, err);
	/* Closed before SQLite opens them: closing any descriptor of a file drops its locks. */
	for (int i = 0; i < FILES; i++)
		fd_drop(&files[i]);
	fd_drop(&folder);
	return status < 0 ? status : prove(ret_path, err);
}
