#include "server/supervisor/state.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK_FILE "casemate.lock"

static int lock_taken(int fd, struct err *err)
{
	char owner[24] = "";
	ssize_t length = pread(fd, owner, sizeof(owner) - 1, 0);

	owner[length > 0 ? strcspn(owner, "\n") : 0] = '\0';
	return err_set(
		err, EWOULDBLOCK,
		"another casemate (pid %s) uses this state directory: stop it, or choose "
		"another state_directory",
		owner);
}

int state_lock(int folder_fd, int *ret_fd, struct err *err)
{
	own_fd fd =
		openat(folder_fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char text[24];
	int length;

	if (fd < 0)
		return err_errno(err, errno, "state_directory: open " LOCK_FILE);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? lock_taken(fd, err)
					    : err_errno(err, errno, "lock " LOCK_FILE);
	length = snprintf(text, sizeof(text), "%d\n", getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length)
		return err_errno(err, errno, "state_directory: write " LOCK_FILE);
	*ret_fd = fd_take(&fd);
	return 0;
}

/* Opens one database file by a descriptor that cannot be exchanged under us. A stolen ledger
 * could have left a link to a file of root, and we would hand that over at the next start; so
 * only a plain file with one name, owned by us or the ledger, is accepted. */
static int open_plain(int folder_fd, const char *name, uint32_t ledger_uid, int *ret_fd,
		      struct err *err)
{
	own_fd fd = openat(folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat info;

	if (fd < 0)
		return errno == ENOENT
			       ? 0
			       : err_errno(err, errno, "state_directory: open %s", name);
	if (fstat(fd, &info) != 0)
		return err_errno(err, errno, "state_directory: look at %s", name);
	if (!S_ISREG(info.st_mode) || info.st_nlink != 1 ||
	    (info.st_uid != geteuid() && info.st_uid != ledger_uid))
		return err_set(err, EPERM,
			       "state_directory: %s is not a plain file of this service (owner "
			       "%u): move it away, or give it to the user who starts casemate",
			       name, info.st_uid);
	*ret_fd = fd_take(&fd);
	return 0;
}

static const char *const database_suffixes[] = {"", "-wal", "-shm", "-journal"};

static int each_file(int folder_fd, const char *database, uint32_t ledger_uid, int is_given,
		     struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(database_suffixes); i++) {
		own_fd fd = -1;
		char name[300];
		int status;

		(void)snprintf(name, sizeof(name), "%s%s", database, database_suffixes[i]);
		status = open_plain(folder_fd, name, ledger_uid, &fd, err);
		if (status < 0)
			return status;
		if (!is_given || fd < 0)
			continue;
		if (fchownat(fd, "", ledger_uid, ledger_uid, AT_EMPTY_PATH) != 0)
			return err_errno(err, errno, "state_directory: give %s to uid %u", name,
					 ledger_uid);
	}
	return 0;
}

int state_check(int folder_fd, const char *database, uint32_t ledger_uid, struct err *err)
{
	return each_file(folder_fd, database, ledger_uid, 0, err);
}

int state_give(int folder_fd, const char *database, uint32_t ledger_uid, struct err *err)
{
	struct stat info;

	if (fstat(folder_fd, &info) != 0)
		return err_errno(err, errno, "state_directory: look at it");
	if (fchown(folder_fd, (uid_t)-1, ledger_uid) != 0 ||
	    fchmod(folder_fd, (info.st_mode & 0707) | S_ISVTX | 0070) != 0)
		return err_errno(err, errno, "state_directory: make it writable for group %u",
				 ledger_uid);
	return each_file(folder_fd, database, ledger_uid, 1, err);
}

int state_write(int folder_fd, const char *name, const char *line, struct err *err)
{
	char temporary[64];
	size_t length = strlen(line);
	own_fd fd = -1;

	(void)snprintf(temporary, sizeof(temporary), ".%s.new", name);
	(void)unlinkat(folder_fd, temporary, 0);
	fd = openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, errno, "state_directory: write %s", name);
	/* The umask is 077, and this is for everybody to read. */
	if (fchmod(fd, 0644) != 0 || write(fd, line, length) != (ssize_t)length ||
	    renameat(folder_fd, temporary, folder_fd, name) != 0)
		return err_errno(err, errno, "state_directory: write %s", name);
	return 0;
}

void state_remove(int folder_fd, const char *name)
{
	(void)unlinkat(folder_fd, name, 0);
}
