#include "server/redteam/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/own.h"

/* A file of /proc/PID; the text ends with a NUL. False when it cannot be read. */
static bool read_proc(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	own_fd fd = -1;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, ret, size - 1);
	ret[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* The first number of a line of /proc/PID/status; -1 when there is none. */
static long status_number(pid_t pid, const char *key)
{
	char text[4096];
	const char *line;

	if (!read_proc(pid, "status", text, sizeof(text)))
		return -1;
	line = strstr(text, key);
	return line == NULL ? -1 : strtol(line + strlen(key), NULL, 10);
}

static bool has_name(pid_t pid, const char *name)
{
	char comm[32];

	if (!read_proc(pid, "comm", comm, sizeof(comm)))
		return false;
	comm[strcspn(comm, "\n")] = '\0';
	return strcmp(comm, name) == 0;
}

static bool is_below(pid_t pid, pid_t ancestor)
{
	while (pid > 1 && pid != ancestor)
		pid = (pid_t)status_number(pid, "\nPPid:");
	return pid == ancestor;
}

/* Calls `found` with every process until it returns false. */
static void walk(bool (*found)(pid_t pid, void *owner), void *owner)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	bool goes_on = true;

	while (folder != NULL && goes_on && (entry = readdir(folder)) != NULL) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid > 0)
			goes_on = found((pid_t)pid, owner);
	}
	if (folder != NULL)
		(void)closedir(folder);
}

struct zygote {
	pid_t service;
	long user; /* the lowest: workers with a uid of their own have higher ones */
};

static bool look_for_zygote(pid_t pid, void *owner)
{
	struct zygote *zygote = owner;
	long user;

	if (!has_name(pid, "casemate-python") ||
	    (zygote->service != 0 && !is_below(pid, zygote->service)))
		return true;
	user = status_number(pid, "\nUid:");
	if (user >= 0 && (zygote->user < 0 || user < zygote->user))
		zygote->user = user;
	return true;
}

uid_t process_user_of_jobs(pid_t service)
{
	struct zygote zygote = {.service = service, .user = -1};

	walk(look_for_zygote, &zygote);
	return zygote.user < 0 ? geteuid() : (uid_t)zygote.user;
}

struct search {
	const char *mark;
	unsigned count;
	pid_t *pids;
};

static bool look_for_mark(pid_t pid, void *owner)
{
	struct search *search = owner;

	if (has_name(pid, search->mark))
		search->pids[search->count++] = pid;
	return search->count < 2;
}

unsigned process_find(const char *mark, pid_t ret[2])
{
	struct search search = {.mark = mark, .pids = ret};

	walk(look_for_mark, &search);
	return search.count;
}

static bool read_namespace(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	length = readlink(path, ret, size - 1);
	ret[length > 0 ? length : 0] = '\0';
	return length > 0;
}

static bool has_our_namespace(pid_t pid, const char *name)
{
	char its[64], ours[64];

	return read_namespace(pid, name, its, sizeof(its)) &&
	       read_namespace(getpid(), name, ours, sizeof(ours)) && strcmp(its, ours) == 0;
}

bool process_is_beside_us(pid_t job, const char *path)
{
	char its_path[PATH_MAX + 32];
	struct stat its, ours;
	pid_t service = job;

	while (service > 0 && !has_name(service, "casemate-serve"))
		service = (pid_t)status_number(service, "\nPPid:");
	if (service <= 0 || !has_our_namespace(service, "net") ||
	    !has_our_namespace(service, "pid"))
		return false;
	(void)snprintf(its_path, sizeof(its_path), "/proc/%d/root%s", (int)service, path);
	return stat(its_path, &its) == 0 && stat(path, &ours) == 0 &&
	       its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

int process_shares_namespace(const pid_t jobs[2], const char *name, char *ret_saw, size_t size)
{
	char first[64], second[64], warden[64];

	/* A job's parent is the warden. */
	if (!read_namespace(jobs[0], name, first, sizeof(first)) ||
	    !read_namespace(jobs[1], name, second, sizeof(second)) ||
	    !read_namespace((pid_t)status_number(jobs[0], "\nPPid:"), name, warden,
			    sizeof(warden)))
		return -1;
	(void)snprintf(ret_saw, size, "%s and %s, the warden %s", first, second, warden);
	return strcmp(first, second) == 0 || strcmp(first, warden) == 0 ||
	       strcmp(second, warden) == 0;
}

int process_shares_user(const pid_t jobs[2], char *ret_saw, size_t size)
{
	long first = status_number(jobs[0], "\nUid:");
	long second = status_number(jobs[1], "\nUid:");

	if (first < 0 || second < 0)
		return -1;
	(void)snprintf(ret_saw, size, "users %ld and %ld of the host", first, second);
	return first == second || first == 0 || second == 0;
}

int process_shares_core(const pid_t jobs[2], char *ret_saw, size_t size)
{
	unsigned long cookies[2] = {0};

	for (int i = 0; i < 2; i++)
		if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_GET, jobs[i], 0, &cookies[i]) != 0) {
			(void)snprintf(ret_saw, size, "no cookie: %s", strerror(errno));
			return errno == ENODEV || errno == EINVAL ? 1 : -1;
		}
	(void)snprintf(ret_saw, size, "cookies %lx and %lx", cookies[0], cookies[1]);
	return cookies[0] == cookies[1] || cookies[0] == 0 || cookies[1] == 0;
}

/* Whether a line of version 1, "N:a,b:/path", names the controller; its path. */
static const char *path_of(const char *line, const char *controller)
{
	const char *at = strchr(line, ':');
	size_t wanted = strlen(controller);

	while (at != NULL && *at != '\0') {
		size_t length = strcspn(at + 1, ",:");
		const char *end = at + 1 + length;

		if (length == wanted && strncmp(at + 1, controller, wanted) == 0)
			return strchr(end, '/');
		if (*end != ',')
			return NULL;
		at = end;
	}
	return NULL;
}

/* The controller's group in version 1, else the one group of version 2. */
static bool find_group(pid_t pid, const char *controller, char *ret, size_t size, bool *ret_v1)
{
	char text[4096];
	char *rest = NULL;

	if (!read_proc(pid, "cgroup", text, sizeof(text)))
		return false;
	ret[0] = '\0';
	*ret_v1 = false;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL && !*ret_v1;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *path = path_of(line, controller);

		*ret_v1 = path != NULL;
		if (path == NULL && strncmp(line, "0::", 3) == 0)
			path = line + 3;
		if (path != NULL)
			(void)snprintf(ret, size, "%s", path);
	}
	return ret[0] != '\0';
}

/* Version 2 has one group for all controllers: what counts is that this one has its files there
 * and, as far as every job has such a limit, that it is set. */
static bool is_unlimited(const char *group, const char *controller)
{
	bool may_be_max = strcmp(controller, "cpu") == 0;
	char path[PATH_MAX];
	char text[32] = "";
	own_fd folder = -1;
	own_fd fd = -1;

	(void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s", group);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s.max", controller);
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	return !may_be_max && read(fd, text, sizeof(text) - 1) > 0 &&
	       strncmp(text, "max", 3) == 0;
}

int process_shares_cgroup(const pid_t jobs[2], const char *controller, char *ret_saw,
			  size_t size)
{
	char first[1024], second[1024], warden[1024];
	bool is_v1 = false;

	if (!find_group((pid_t)status_number(jobs[0], "\nPPid:"), controller, warden,
			sizeof(warden), &is_v1) ||
	    !find_group(jobs[1], controller, second, sizeof(second), &is_v1) ||
	    !find_group(jobs[0], controller, first, sizeof(first), &is_v1))
		return -1;
	(void)snprintf(ret_saw, size, "groups %s and %s", first, second);
	if (!is_v1 && is_unlimited(first, controller))
		return 1;
	return strcmp(first, second) == 0 || strcmp(first, warden) == 0 ||
	       strcmp(second, warden) == 0;
}
