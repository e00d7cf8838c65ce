#include "sandbox/runtimes/python/libraries.h"

#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/runtimes/python/snapshot.h"

#define HUGE_BYTES (2ul << 20) /* size of a large page */

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

/* A worker of its own mapped file would ask for each 64 KiB of the interpreter's code that it
 * comes to. */
static void enlarge_code(uintptr_t start, uintptr_t end)
{
	start = (start + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
	end &= ~(HUGE_BYTES - 1);
	if (end > start)
		snapshot_take(start, end, PROT_READ | PROT_EXEC);
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

/* Variables with and without a first value, two areas until now, become one. */
static void share_variables(const struct dl_phdr_info *library)
{
	for (unsigned i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &library->dlpi_phdr[i];
		uintptr_t start = library->dlpi_addr + part->p_vaddr;

		if (part->p_type == PT_LOAD && (part->p_flags & PF_W) != 0)
			snapshot_take(start, start + part->p_memsz, PROT_READ | PROT_WRITE);
	}
}

static int merge(struct dl_phdr_info *library, size_t size, void *context)
{
	const uintptr_t *interpreter = context;
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
	if (*interpreter >= start && *interpreter < end)
		enlarge_code(start, end);
	if (!is_busy(library))
		share_variables(library);
	return 0;
}

void libraries_merge(uintptr_t address)
{
	(void)dl_iterate_phdr(merge, &address);
}
