#include "sandbox/warden/proc_text.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/own.h"

ssize_t proc_text(const char *path, char *ret, size_t size)
{
	own_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, ret, size - 1) : -1;

	ret[got > 0 ? got : 0] = '\0';
	return got;
}
