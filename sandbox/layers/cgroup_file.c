#include "sandbox/layers/cgroup_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int cgroup_write(int folder, const char *file, const char *text, struct err *err)
{
	own_fd fd = openat(folder, file, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(text);
	ssize_t wrote;

	if (fd < 0)
		return err_errno(err, errno, "open %s", file);
	wrote = write(fd, text, length);
	if (wrote < 0)
		return err_errno(err, errno, "write %s to %s", text, file);
	if ((size_t)wrote != length)
		return err_set(err, EIO, "short write to %s", file);
	return 0;
}

int cgroup_write_u64(int folder, const char *file, uint64_t value, struct err *err)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return cgroup_write(folder, file, text, err);
}

int cgroup_read(int folder, const char *file, char *ret, size_t size)
{
	own_fd fd = openat(folder, file, O_RDONLY | O_CLOEXEC);
	size_t length = 0;

	if (fd < 0)
		return -errno;
	while (length + 1 < size) {
		ssize_t got = read(fd, ret + length, size - 1 - length);

		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	ret[length] = '\0';
	return 0;
}

uint64_t cgroup_number(int fd, const char *key)
{
	char text[2048];
	ssize_t got = fd >= 0 ? pread(fd, text, sizeof(text) - 1, 0) : 0;
	size_t wanted = strlen(key);

	if (got <= 0)
		return 0;
	text[got] = '\0';
	for (const char *line = text; line != NULL && *line != '\0';) {
		const char *end = strchr(line, '\n');

		if (strncmp(line, key, wanted) == 0 && (wanted == 0 || line[wanted] == ' '))
			return strtoull(line + wanted, NULL, 10);
		line = end != NULL ? end + 1 : NULL;
	}
	return 0;
}
