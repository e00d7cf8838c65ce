#include "sandbox/runtimes/python/libraries.h"

#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"

#define HUGE_BYTES (2ul << 20) /* size of a large page */

/* What merge() keeps between libraries. */
struct store {
	uintptr_t interpreter; /* an address in its code */
	int fd;		       /* memfd; -1: variables stay where they are */
	off_t offset;	       /* of its first free page */
};

static void *pointer(uintptr_t address)
{
	return (void *)address; // NOLINT(performance-no-int-to-ptr)
}

/*
 * The loader maps a library as five areas: headers, code, constants, what it has relocated,
 * data. With pandas that makes 500 areas, and each costs a fork and an exit two microseconds.
 * The kernel joins neighbours of one file that have the same rights, so the constants become
 * executable, like the code beside them, and the relocated tables writable, like the data
 * behind them; nothing becomes both. No protection is given up: a job's code may change the
 * rights of every area of its own process anyway, and no wall around it counts on them.
 */
static void set_rights(uintptr_t start, uintptr_t end, int rights)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	start &= ~(page - 1);
	end = (end + page - 1) & ~(page - 1);
	if (end > start)
		(void)mprotect(pointer(start), end - start, rights);
}

/*
 * Copies the area into memory in large pages and puts that in its place. Whole large pages stay
 * so where their borders allow it. Of others the parts become small entries of one large piece,
 * which the kernel copies and takes apart together.
 */
static void enlarge(uintptr_t start, uintptr_t end, int rights)
{
	size_t length = end - start;
	size_t size = ((length + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1)) + HUGE_BYTES;
	uintptr_t copy;
	void *map;

	map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return;
	copy = ((uintptr_t)map + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
	if (madvise(pointer(copy), size - HUGE_BYTES, MADV_HUGEPAGE) == 0) {
		memcpy(pointer(copy), pointer(start), length);
		/* In one step, so that the code which runs here is there at any time. */
		if (mprotect(pointer(copy), length, rights) == 0)
			(void)mremap(pointer(copy), length, length,
				     MREMAP_MAYMOVE | MREMAP_FIXED, pointer(start));
	}
	/* What is left around the copy, or all of it. */
	(void)munmap(map, size);
}

/* A worker of its own mapped file would ask for each 64 KiB of the interpreter's code that it
 * comes to. */
static void enlarge_code(uintptr_t start, uintptr_t end)
{
	start = (start + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
	end &= ~(HUGE_BYTES - 1);
	if (end > start)
		enlarge(start, end, PROT_READ | PROT_EXEC);
}

/*
 * A library's variables become a private view of a file in memory that holds them as they are
 * now. A fork copies the entries of pages that a process has written, one by one, and takes
 * them apart at the end; of a file's pages it copies none, and a worker writes to a handful.
 * Variables with and without a first value, two areas until now, lie together in the file and
 * are one.
 */
static void share(struct store *store, uintptr_t start, uintptr_t end)
{
	size_t length = end - start;

	if (store->fd < 0 ||
	    pwrite(store->fd, pointer(start), length, store->offset) != (ssize_t)length)
		return;
	/* Nothing of ours or of libc's lies in there, so nothing changed meanwhile. */
	if (mmap(pointer(start), length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
		 store->fd, store->offset) != MAP_FAILED)
		store->offset += (off_t)length;
}

static bool is_constant(const ElfW(Phdr) * part)
{
	return part->p_type == PT_LOAD && (part->p_flags & PF_W) == 0;
}

/* Neighbours in memory as in the file, or they would not be joined. */
static bool follows(const ElfW(Phdr) * first, const ElfW(Phdr) * part)
{
	return part->p_vaddr - first->p_vaddr == part->p_offset - first->p_offset;
}

static bool holds(const struct dl_phdr_info *library, uintptr_t address)
{
	for (unsigned i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &library->dlpi_phdr[i];
		uintptr_t at = library->dlpi_addr + part->p_vaddr;

		if (part->p_type == PT_LOAD && address >= at && address < at + part->p_memsz)
			return true;
	}
	return false;
}

/* Those of libc, of the loader and of this program change while this runs. */
static bool is_busy(const struct dl_phdr_info *library)
{
	const uintptr_t places[] = {(uintptr_t)mmap, (uintptr_t)getauxval(AT_BASE),
				    (uintptr_t)libraries_merge};

	for (size_t i = 0; i < ARRAY_COUNT(places); i++)
		if (holds(library, places[i]))
			return true;
	return false;
}

/* A worker writes to the interpreter's all over. */
static void move_variables(const struct dl_phdr_info *library, struct store *store)
{
	bool is_interpreter = holds(library, store->interpreter);
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	for (unsigned i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &library->dlpi_phdr[i];
		uintptr_t start = library->dlpi_addr + part->p_vaddr;
		uintptr_t end = start + part->p_memsz;

		if (part->p_type != PT_LOAD || (part->p_flags & PF_W) == 0)
			continue;
		start &= ~(page - 1);
		end = (end + page - 1) & ~(page - 1);
		if (is_interpreter)
			enlarge(start, end, PROT_READ | PROT_WRITE);
		else
			share(store, start, end);
	}
}

static int merge(struct dl_phdr_info *library, size_t size, void *context)
{
	struct store *store = context;
	const ElfW(Phdr) *first = NULL;
	uintptr_t start = 0;
	uintptr_t end = 0;

	(void)size;
	for (unsigned i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &library->dlpi_phdr[i];
		uintptr_t at = library->dlpi_addr + part->p_vaddr;

		if (part->p_type == PT_GNU_RELRO)
			set_rights(at, at + part->p_memsz, PROT_READ | PROT_WRITE);
		if (!is_constant(part) || (first != NULL && !follows(first, part)))
			continue;
		if (first == NULL) {
			first = part;
			start = at;
		}
		end = at + part->p_memsz;
	}
	if (first == NULL)
		return 0;
	set_rights(start, end, PROT_READ | PROT_EXEC);
	if (store->interpreter >= start && store->interpreter < end)
		enlarge_code(start, end);
	if (!is_busy(library))
		move_variables(library, store);
	return 0;
}

void libraries_merge(uintptr_t address)
{
	struct store store = {.interpreter = address,
			      .fd = memfd_create("libraries", MFD_CLOEXEC)};

	(void)dl_iterate_phdr(merge, &store);
	if (store.fd >= 0)
		(void)close(store.fd);
}
