/*
 * tests/support/faults.c - preloaded into one process of the service by a test: makes the n-th
 * call of a kind fail, and counts written bytes that no sync has followed.
 *
 * The test and the process share one page, a file named by CASEMATE_TEST_FAULTS, which is
 * mapped before the process confines itself. tests/support/faults.py has the same layout.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum kind { KIND_NONE, KIND_WRITE, KIND_SHORT_WRITE, KIND_SYNC, KIND_MAP };

struct faults {
	uint32_t kind;
	uint32_t countdown;  /* this call of the kind is the one; 0: none any more */
	uint32_t error;	     /* errno */
	uint32_t is_lasting; /* and so are all after it */
	uint32_t hits;
	uint32_t unsynced; /* writes since the last good sync */
};

static struct faults *faults;

#define NEXT(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

__attribute__((constructor)) static void faults_open(void)
{
	const char *path = getenv("CASEMATE_TEST_FAULTS");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *page = MAP_FAILED;

	if (fd >= 0)
		page = NEXT(void *(*)(void *, size_t, int, int, int, off_t), "mmap")(
			NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		abort(); /* a test that injects nothing proves nothing */
	(void)close(fd);
	faults = page;
}

static bool is_hit(enum kind kind)
{
	if (faults == NULL || faults->kind != (uint32_t)kind || faults->countdown == 0)
		return false;
	if (faults->countdown > 1) {
		faults->countdown--;
		return false;
	}
	if (!faults->is_lasting)
		faults->countdown = 0;
	faults->hits++;
	errno = (int)faults->error;
	return true;
}

typedef ssize_t pwrite_type(int, const void *, size_t, off_t);

static ssize_t any_pwrite(int fd, const void *data, size_t length, off_t at)
{
	pwrite_type *next = NEXT(pwrite_type *, "pwrite64");

	if (is_hit(KIND_WRITE))
		return -1;
	/* The rest is tried again by a call of its own, which fails. */
	if (length > 1 && is_hit(KIND_SHORT_WRITE)) {
		faults->kind = KIND_WRITE;
		faults->countdown = 1;
		length /= 2;
	}
	faults->unsynced++;
	return next(fd, data, length, at);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at)
{
	return any_pwrite(fd, data, length, at);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t at)
{
	return any_pwrite(fd, data, length, at);
}

static int any_sync(int fd, const char *name)
{
	int result = -1;

	if (!is_hit(KIND_SYNC))
		result = NEXT(int (*)(int), name)(fd);
	if (result == 0)
		faults->unsynced = 0;
	return result;
}

int fsync(int fd)
{
	return any_sync(fd, "fsync");
}

int fdatasync(int fd)
{
	return any_sync(fd, "fdatasync");
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	if (is_hit(KIND_MAP))
		return MAP_FAILED;
	return NEXT(void *(*)(void *, size_t, int, int, int, off_t),
		    "mmap")(at, length, protection, flags, fd, offset);
}
