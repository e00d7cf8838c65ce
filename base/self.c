#include "base/self.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

int self_folder(char *ret, size_t size, struct err *err)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (length < 0)
		return err_errno(err, errno, "find my own binary in /proc/self/exe");
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL || (size_t)(slash - path) >= size)
		return err_set(err, ENAMETOOLONG, "the path of my own binary is too long");
	*slash = '\0';
	memcpy(ret, path, (size_t)(slash - path) + 1);
	return 0;
}

int self_path(const char *relative, char *ret, size_t size, struct err *err)
{
	char folder[PATH_MAX];
	int status = self_folder(folder, sizeof(folder), err);

	if (status < 0)
		return status;
	if (strlen(folder) + 1 + strlen(relative) >= size)
		return err_set(err, ENAMETOOLONG, "the path of %s is too long", relative);
	(void)snprintf(ret, size, "%s/%s", folder, relative);
	return 0;
}
