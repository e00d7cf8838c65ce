#include "base/memfd.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

int memfd_new(const char *name, int *ret_fd, struct err *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_errno(err, errno, "memfd_create %s", name);
	*ret_fd = fd;
	return 0;
}

int memfd_seal(int fd, struct err *err)
{
	if (fcntl(fd, F_ADD_SEALS, SEALS) != 0)
		return err_errno(err, errno, "seal a memfd");
	return 0;
}

int memfd_add(int fd, const void *data, size_t length, struct err *err)
{
	size_t done = 0;

	while (done < length) {
		ssize_t wrote = write(fd, (const char *)data + done, length - done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return err_errno(err, wrote < 0 ? errno : EIO, "write a memfd");
		done += (size_t)wrote;
	}
	return 0;
}

int memfd_from(const char *name, const void *data, size_t length, int *ret_fd, struct err *err)
{
	own_fd fd = -1;
	int status = memfd_new(name, &fd, err);

	if (status == 0)
		status = memfd_add(fd, data, length, err);
	if (status == 0)
		status = memfd_seal(fd, err);
	if (status == 0)
		*ret_fd = fd_take(&fd);
	return status;
}

static int copy(int fd, size_t length, struct span *ret, struct err *err)
{
	own_mem char *bytes = malloc(length);
	size_t done = 0;

	if (bytes == NULL)
		return err_set(err, ENOMEM, "no memory for a payload of %zu bytes", length);
	while (done < length) {
		ssize_t got = pread(fd, bytes + done, length - done, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_errno(err, got < 0 ? errno : EIO, "read a payload");
		done += (size_t)got;
	}
	*ret = (struct span){.data = bytes, .length = length};
	ret->copied = mem_take(&bytes);
	return 0;
}

static int inspect(int fd, size_t limit, struct stat *ret, struct err *err)
{
	struct stat info;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS)
		return err_set(err, EPROTO, "payload is not a sealed memfd");
	if (fstat(fd, &info) != 0)
		return err_errno(err, errno, "fstat payload");
	if (info.st_size < 0 || (uint64_t)info.st_size > limit)
		return err_set(err, E2BIG, "payload has %lld bytes, the limit is %zu",
			       (long long)info.st_size, limit);
	*ret = info;
	return 0;
}

int memfd_check(int fd, size_t limit, struct err *err)
{
	struct stat info;

	return inspect(fd, limit, &info, err);
}

int memfd_map(int fd, size_t limit, struct span *ret, struct err *err)
{
	struct stat info;
	void *data;
	int status = inspect(fd, limit, &info, err);

	if (status < 0)
		return status;
	if (info.st_size == 0) {
		*ret = (struct span){.data = ""};
		return 0;
	}
	if (info.st_size <= MEMFD_COPY_BYTES)
		return copy(fd, (size_t)info.st_size, ret, err);
	data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (data == MAP_FAILED)
		return err_errno(err, errno, "mmap payload");
	*ret = (struct span){
		.data = data, .length = (size_t)info.st_size, .mapped = (size_t)info.st_size};
	return 0;
}

void span_done(struct span *span)
{
	if (span->mapped > 0)
		(void)munmap((void *)(uintptr_t)span->data, span->mapped);
	/* A key or a caller's data must not turn up in the next allocation. */
	if (span->copied != NULL)
		explicit_bzero(span->copied, span->length);
	free(span->copied);
	*span = (struct span){.data = ""};
}
