/*
 * sandbox/layers/cgroup_host.c - finds the control groups we run in. The texts come from the
 * kernel; a line of an unknown shape is passed over, never trusted.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "sandbox/layers/cgroup.h"

static const char *const controller_names[CGROUP_PLACES] = {
	[CGROUP_FREEZER] = "freezer", [CGROUP_MEMORY] = "memory",   [CGROUP_PIDS] = "pids",
	[CGROUP_CPU] = "cpu",	      [CGROUP_CPUACCT] = "cpuacct",
};

bool cgroup_list_has(const char *list, size_t length, const char *name)
{
	size_t wanted = strlen(name);

	for (size_t at = 0; at < length;) {
		size_t item = 0;

		while (at + item < length && strchr(", \n", list[at + item]) == NULL)
			item++;
		if (item == wanted && memcmp(list + at, name, wanted) == 0)
			return true;
		at += item + 1;
	}
	return false;
}

/* The group's path in the hierarchy of `controller` ("" for version 2), from /proc/self/cgroup:
 * lines "id:controllers:path". */
static bool own_path(const char *cgroup, const char *controller, char *ret, size_t size)
{
	for (const char *line = cgroup; line != NULL && *line != '\0';) {
		const char *end = strchrnul(line, '\n');
		const char *list = memchr(line, ':', (size_t)(end - line));
		const char *path;

		if (list != NULL) {
			list++;
			path = memchr(list, ':', (size_t)(end - list));
			if (path != NULL &&
			    (controller[0] == '\0'
				     ? path == list
				     : cgroup_list_has(list, (size_t)(path - list),
						       controller))) {
				size_t length = (size_t)(end - path - 1);

				if (length >= size)
					return false;
				memcpy(ret, path + 1, length);
				ret[length] = '\0';
				return true;
			}
		}
		line = *end != '\0' ? end + 1 : NULL;
	}
	return false;
}

struct mount {
	char root[CGROUP_PATH_MAX];
	char point[CGROUP_PATH_MAX];
	char kind[64];
	char options[512];
};

/* mountinfo: "id parent dev root point options [tags] - kind source super-options". A path with
 * a blank is written with \040; cgroup folders have none, so such a line finds no group. */
static bool mount_parse(const char *line, size_t length, struct mount *ret)
{
	char text[4096];
	char *tail;

	if (length >= sizeof(text))
		return false;
	memcpy(text, line, length);
	text[length] = '\0';
	tail = strstr(text, " - ");
	if (tail == NULL)
		return false;
	if (sscanf(text, "%*s %*s %*s %1023s %1023s", ret->root, ret->point) != 2)
		return false;
	return sscanf(tail + 3, "%63s %*s %511s", ret->kind, ret->options) == 2;
}

/* Mount point + the part of `own` below the mount's root. In a container whose cgroup namespace
 * is its own both are "/". */
static void join_path(const struct mount *mount, const char *own, char *ret)
{
	size_t root = strlen(mount->root);
	int length;

	if (strcmp(mount->root, "/") == 0)
		root = 0;
	else if (strncmp(own, mount->root, root) != 0 ||
		 (own[root] != '/' && own[root] != '\0'))
		return;
	own += root;
	if (strcmp(own, "/") == 0)
		own = "";
	length = snprintf(ret, CGROUP_PATH_MAX, "%s%s", mount->point, own);
	if (length < 0 || length >= CGROUP_PATH_MAX)
		ret[0] = '\0';
}

static void mount_use(const struct mount *mount, const char *cgroup, struct cgroup_host *one,
		      struct cgroup_host *two)
{
	char own[CGROUP_PATH_MAX];

	if (strcmp(mount->kind, "cgroup2") == 0) {
		if (two->path[CGROUP_MEMORY][0] == '\0' &&
		    own_path(cgroup, "", own, sizeof(own)))
			join_path(mount, own, two->path[CGROUP_MEMORY]);
		return;
	}
	if (strcmp(mount->kind, "cgroup") != 0)
		return;
	for (int place = 0; place < CGROUP_PLACES; place++) {
		const char *name = controller_names[place];

		if (one->path[place][0] == '\0' &&
		    cgroup_list_has(mount->options, strlen(mount->options), name) &&
		    own_path(cgroup, name, own, sizeof(own)))
			join_path(mount, own, one->path[place]);
	}
}

void cgroup_host_parse(const char *cgroup, const char *mountinfo, struct cgroup_host *ret)
{
	struct cgroup_host one = {.version = 1};
	struct cgroup_host two = {.version = 2};
	struct mount mount;

	for (const char *line = mountinfo; *line != '\0';) {
		const char *end = strchrnul(line, '\n');

		if (mount_parse(line, (size_t)(end - line), &mount))
			mount_use(&mount, cgroup, &one, &two);
		line = *end != '\0' ? end + 1 : end;
	}
	/* A hybrid host has both; the controllers are where version 1 shows them. */
	if (one.path[CGROUP_MEMORY][0] != '\0' || one.path[CGROUP_PIDS][0] != '\0')
		*ret = one;
	else if (two.path[CGROUP_MEMORY][0] != '\0')
		*ret = two;
	else
		*ret = (struct cgroup_host){.version = 0};
}

#define PROC_TEXT_MAX (1u << 20) /* bytes; hosts with thousands of mounts stay below */

static int read_text(const char *path, struct buf *ret, struct err *err)
{
	own_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	ssize_t got;

	if (fd < 0)
		return err_errno(err, errno, "open %s", path);
	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(ret, chunk, (size_t)got);
	if (got < 0)
		return err_errno(err, errno, "read %s", path);
	return buf_check(ret, err);
}

int cgroup_host_probe(struct cgroup_host *ret, struct err *err)
{
	own_buf cgroup;
	own_buf mountinfo;
	int status;

	buf_init(&cgroup, PROC_TEXT_MAX);
	buf_init(&mountinfo, PROC_TEXT_MAX);
	status = read_text("/proc/self/cgroup", &cgroup, err);
	if (status == 0)
		status = read_text("/proc/self/mountinfo", &mountinfo, err);
	if (status < 0)
		return status;
	cgroup_host_parse(cgroup.data != NULL ? cgroup.data : "",
			  mountinfo.data != NULL ? mountinfo.data : "", ret);
	return 0;
}
