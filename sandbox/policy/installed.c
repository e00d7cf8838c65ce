#include "sandbox/policy/installed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "base/self.h"

#define POLICIES_FROM_PROGRAM "../../share/casemate/policies"
#define FILE_END	      ".json"

/* " open standard strict" */
static void list_names(const char *folder, char *ret, size_t size)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, alphasort);
	size_t at = 0;

	ret[0] = '\0';
	for (int i = 0; i < count; i++) {
		size_t length = strlen(entries[i]->d_name);
		size_t end = sizeof(FILE_END) - 1;

		if (length > end && at < size &&
		    strcmp(entries[i]->d_name + length - end, FILE_END) == 0)
			at += (size_t)snprintf(ret + at, size - at, " %.*s",
					       (int)(length - end), entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int installed_policy(const char *name, struct buf *ret, struct err *err)
{
	char folder[PATH_MAX];
	char path[PATH_MAX + NAME_MAX];
	char names[256];
	own_fd fd = -1;
	int status = self_path(POLICIES_FROM_PROGRAM, folder, sizeof(folder), err);

	if (status < 0)
		return status;
	/* A name is no way out of the folder. */
	if (strchr(name, '/') == NULL && strlen(name) < NAME_MAX - sizeof(FILE_END)) {
		(void)snprintf(path, sizeof(path), "%s/%s%s", folder, name, FILE_END);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0) {
		list_names(folder, names, sizeof(names));
		return err_set(err, ENOENT, "no policy is called '%.64s'; there are:%s", name,
			       names);
	}
	status = buf_read(ret, fd);
	return status < 0 ? err_errno(err, -status, "%.200s", path) : 0;
}
