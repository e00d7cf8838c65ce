#include "sandbox/runtimes/python/snapshot.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"

#define HUGE_BYTES (2ul << 20) /* size of a large page */

/* Nobody has the descriptor afterwards, but who might get one all the same changes nothing. */
#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1; older C libraries do not name it */
#endif

static void *pointer(uintptr_t address)
{
	return (void *)address; // NOLINT(performance-no-int-to-ptr)
}

/* No libc but for system calls: what is copied may be malloc's own. */
static bool copy(int fd, off_t offset, uintptr_t start, uintptr_t end)
{
	while (start < end) {
		ssize_t wrote = pwrite(fd, pointer(start), end - start, offset);

		if (wrote <= 0)
			return false;
		start += (size_t)wrote;
		offset += wrote;
	}
	return true;
}

/* A large page of a file can only be mapped as one where its number and its address agree. */
static bool view(int fd, uintptr_t start, uintptr_t end, int rights)
{
	off_t offset = (off_t)(start & (HUGE_BYTES - 1));

	return copy(fd, offset, start, end) && fcntl(fd, F_ADD_SEALS, SEALS) == 0 &&
	       mmap(pointer(start), end - start, rights, MAP_PRIVATE | MAP_FIXED, fd, offset) !=
		       MAP_FAILED;
}

/* Whole large pages only; the rest stays in small ones. */
static void enlarge(uintptr_t start, uintptr_t end)
{
	start = (start + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
	end &= ~(HUGE_BYTES - 1);
	if (end > start)
		(void)madvise(pointer(start), end - start, MADV_COLLAPSE);
}

/* A file for each area: the kernel has a lock for each file, too. */
void snapshot_take(uintptr_t start, uintptr_t end, int rights)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	own_fd fd = memfd_create("snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	start &= ~(page - 1);
	end = (end + page - 1) & ~(page - 1);
	if (fd >= 0 && end > start && view(fd, start, end, rights))
		enlarge(start, end);
}
