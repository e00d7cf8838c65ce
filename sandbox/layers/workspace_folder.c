#include "sandbox/layers/workspace_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define ENTER	  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DEPTH_MAX 64 /* folders below one another that are counted; programs use ten */
#define REMOVE_STEPS_MAX                                                   \
	1000000 /* folders entered for removing; between two counts of its \
		 * workspace a job makes tens of thousands */

/* A worker that dies with its warden may write for another moment. */
#define REMOVE_TRIES	100
#define REMOVE_PAUSE_NS 10000000

/* A stream of its own, so that closing it leaves the descriptor. */
static DIR *list(int folder_fd)
{
	int copy = openat(folder_fd, ".", ENTER);
	DIR *listing = copy >= 0 ? fdopendir(copy) : NULL;

	if (listing == NULL)
		fd_drop(&copy);
	return listing;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* --- removing ---------------------------------------------------------------------------- */

/* A job may have taken its own folders' modes away. By descriptor, so that no link is followed.
 */
static int enter(int folder_fd, const char *name)
{
	int fd = openat(folder_fd, name, ENTER);
	own_fd handle = -1;
	char path[40];

	if (fd >= 0 || errno != EACCES)
		return fd;
	handle = openat(folder_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", handle);
	return handle >= 0 && chmod(path, 0700) == 0 ? openat(folder_fd, name, ENTER) : -1;
}

/* Removes what can be removed at once; returns a folder that is not empty, or -1 when nothing
 * is left. */
static int remove_entries(int folder_fd)
{
	DIR *listing = list(folder_fd);
	const struct dirent *entry;
	int full = -1;

	while (listing != NULL && full < 0 && (entry = readdir(listing)) != NULL) {
		if (is_dots(entry->d_name) || unlinkat(folder_fd, entry->d_name, 0) == 0 ||
		    unlinkat(folder_fd, entry->d_name, AT_REMOVEDIR) == 0)
			continue;
		full = enter(folder_fd, entry->d_name);
	}
	if (listing != NULL)
		(void)closedir(listing);
	return full;
}

static bool is_same_folder(int left, int right)
{
	struct stat a, b;

	return fstat(left, &a) == 0 && fstat(right, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

/* Goes down into what is full and up from what is empty, with one descriptor however deep it
 * gets: a job may nest folders by the thousand. */
static int remove_tree(int parent_fd, const char *name)
{
	own_fd top = enter(parent_fd, name);
	own_fd at = top >= 0 ? openat(top, ".", ENTER) : -1;

	for (int step = 0; at >= 0 && step < REMOVE_STEPS_MAX; step++) {
		int next = remove_entries(at);

		if (next < 0 && is_same_folder(at, top))
			break;
		if (next < 0)
			next = openat(at, "..", ENTER);
		fd_drop(&at);
		at = next;
	}
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

/* --- the instance's folder --------------------------------------------------------------- */

/* Of a dead warden and ours: the folder around it may be writable to all. */
static bool is_leftover(int parent_fd, const char *name, const char *prefix, uid_t owner)
{
	size_t length = strlen(prefix);
	struct stat info;
	char path[64];
	char text[64] = {0};
	own_fd comm = -1;
	char *end;
	long pid;

	if (strncmp(name, prefix, length) != 0 ||
	    fstatat(parent_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISDIR(info.st_mode) || info.st_uid != owner)
		return false;
	pid = strtol(name + length, &end, 10);
	if (end == name + length || *end != '\0' || pid <= 0)
		return false;
	if (pid == (long)getpid())
		return true; /* the number has come around */
	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	comm = open(path, O_RDONLY | O_CLOEXEC);
	return comm < 0 || read(comm, text, sizeof(text) - 1) <= 0 ||
	       strcmp(text, "casemate-warden\n") != 0;
}

static void remove_leftovers(int parent_fd, const char *instance, uid_t owner)
{
	DIR *listing = list(parent_fd);
	const struct dirent *entry;
	char prefix[96];

	(void)snprintf(prefix, sizeof(prefix), "%s-", instance);
	while (listing != NULL && (entry = readdir(listing)) != NULL)
		if (is_leftover(parent_fd, entry->d_name, prefix, owner))
			err_ignore(remove_tree(parent_fd, entry->d_name),
				   "making our own is what must work");
	if (listing != NULL)
		(void)closedir(listing);
}

int workspaces_make(int parent_fd, const char *instance, uint32_t owner_uid,
		    struct workspaces *ret, struct err *err)
{
	struct workspaces made = {.parent_fd = -1, .folder_fd = -1};
	own_fd parent = openat(parent_fd, ".", ENTER);
	own_fd folder = -1;

	if (parent < 0)
		return err_errno(err, errno, "open isolation.workspaces");
	remove_leftovers(parent, instance, owner_uid != 0 ? owner_uid : geteuid());
	(void)snprintf(made.name, sizeof(made.name), "%s-%d", instance, (int)getpid());
	/* Others may pass, or a worker of another user could not name its own files. */
	if (mkdirat(parent, made.name, 0711) != 0)
		return err_errno(err, errno, "make %s in isolation.workspaces", made.name);
	folder = openat(parent, made.name, ENTER);
	if (folder < 0 || fchmod(folder, 0711) != 0 ||
	    (owner_uid != 0 && fchown(folder, owner_uid, owner_uid) != 0))
		return err_errno(err, errno, "give %s in isolation.workspaces its owner",
				 made.name);
	made.parent_fd = fd_take(&parent);
	made.folder_fd = fd_take(&folder);
	*ret = made;
	return 0;
}

void workspaces_remove(struct workspaces *workspaces)
{
	struct timespec pause = {.tv_nsec = REMOVE_PAUSE_NS};

	fd_drop(&workspaces->folder_fd);
	/* What stays is removed by the next start of the service. */
	for (int i = 0; workspaces->parent_fd >= 0 && i < REMOVE_TRIES &&
			remove_tree(workspaces->parent_fd, workspaces->name) < 0;
	     i++)
		(void)nanosleep(&pause, NULL);
	fd_drop(&workspaces->parent_fd);
}

/* --- one worker's ------------------------------------------------------------------------ */

/* The group stays the caller's: he must get in, and a job cannot join it. */
static int make_owned(int parent_fd, const char *name, uint32_t uid, int *ret_fd,
		      struct err *err)
{
	own_fd folder = -1;

	if (mkdirat(parent_fd, name, 0700) != 0)
		return err_errno(err, errno, "make the worker's folder %s", name);
	folder = openat(parent_fd, name, ENTER);
	if (folder < 0)
		return err_errno(err, errno, "open the worker's folder %s", name);
	if (uid != 0 && (fchmod(folder, 0710) != 0 || fchown(folder, uid, (gid_t)-1) != 0))
		return err_errno(err, errno, "give the worker's folder %s its owner", name);
	*ret_fd = fd_take(&folder);
	return 0;
}

int workspace_folder_make(const struct workspaces *workspaces, const char *name, uint32_t uid,
			  int *ret_folder_fd, int *ret_files_fd, struct err *err)
{
	own_fd folder = -1;
	own_fd files = -1;
	own_fd temporary = -1;
	/* Our own until the two below are made. */
	int status = make_owned(workspaces->folder_fd, name, 0, &folder, err);

	if (status == 0)
		status = make_owned(folder, WORKSPACE_FILES, uid, &files, err);
	if (status == 0)
		status = make_owned(folder, WORKSPACE_TMP, uid, &temporary, err);
	/* A job may pass through it and change nothing in it. */
	if (status == 0 && uid != 0 && fchmod(folder, 0711) != 0)
		status = err_errno(err, errno, "open the worker's folder to its user");
	if (status < 0)
		return status;
	*ret_folder_fd = fd_take(&folder);
	*ret_files_fd = fd_take(&files);
	return 0;
}

int workspace_folder_remove(const struct workspaces *workspaces, const char *name,
			    struct err *err)
{
	int status = remove_tree(workspaces->folder_fd, name);

	return status < 0 ? err_errno(err, -status, "remove the worker's folder %s", name) : 0;
}

struct count {
	uint64_t bytes, inodes;
	uint64_t bytes_max, inodes_max;
};

static bool is_over(const struct count *count)
{
	return count->bytes > count->bytes_max || count->inodes > count->inodes_max;
}

static bool count_folder(int folder_fd, struct count *count, unsigned depth);

static bool count_entry(int folder_fd, const char *name, struct count *count, unsigned depth)
{
	struct stat info;
	own_fd below = -1;

	if (fstatat(folder_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return true; /* removed since */
	count->inodes++;
	count->bytes += (uint64_t)info.st_blocks * 512;
	if (is_over(count))
		return false;
	if (!S_ISDIR(info.st_mode))
		return true;
	if (depth == DEPTH_MAX)
		return false;
	below = openat(folder_fd, name, ENTER);
	return below >= 0 ? count_folder(below, count, depth + 1) : errno == ENOENT;
}

/* False as soon as it is over, or cannot be counted: a folder nobody may read counts as full.
 */
static bool count_folder(int folder_fd, struct count *count, unsigned depth)
{
	DIR *listing = list(folder_fd);
	const struct dirent *entry;
	bool is_good = listing != NULL;

	while (is_good && (entry = readdir(listing)) != NULL)
		if (!is_dots(entry->d_name))
			is_good = count_entry(folder_fd, entry->d_name, count, depth);
	if (listing != NULL)
		(void)closedir(listing);
	return is_good;
}

bool workspace_folder_is_over(const struct workspaces *workspaces, const char *name,
			      uint64_t bytes, uint64_t inodes)
{
	/* The two folders themselves are not the job's. */
	struct count count = {.bytes_max = bytes, .inodes_max = inodes + 2};
	own_fd folder = openat(workspaces->folder_fd, name, ENTER);

	return folder < 0 || !count_folder(folder, &count, 0);
}
