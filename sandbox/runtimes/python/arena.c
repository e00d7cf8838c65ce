#include "sandbox/runtimes/python/arena.h"

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#define HUGE_BYTES (2ul << 20) /* size of a large page */
#define REGION_BYTES \
	(256ul << 20) /* address space only; pandas and matplotlib need about 80 MiB */

/* Of Python's allocator: objects up to OBJECT_BYTES_MAX come in pools of one size, those in
 * arenas. Other numbers than these would make arena_prime() do less, and nothing worse. */
#define OBJECT_BYTES_MAX  512
#define OBJECT_BYTES_STEP 16
#define ARENA_BYTES	  (1ul << 20)
#define PRIME_BYTES	  (16ul << 20) /* the most that is given up; half a MiB is usual */

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1; older C libraries do not name it */
#endif

/* Freed arenas of the region are not used again: the zygote frees next to none, and a worker
 * takes ordinary memory. */
static struct {
	char *start;
	char *next;
	char *end;
	bool is_open;
} region;

static char *heap_start; /* of malloc's own, at a large page's border */

static void *arena_take(void *context, size_t size)
{
	void *arena;

	(void)context;
	if (region.is_open && size <= (size_t)(region.end - region.next)) {
		arena = region.next;
		region.next += size;
		return arena;
	}
	arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return arena == MAP_FAILED ? NULL : arena;
}

static void arena_give(void *context, void *arena, size_t size)
{
	(void)context;
	if ((char *)arena >= region.start && (char *)arena < region.end)
		return;
	(void)munmap(arena, size);
}

void arena_install(void)
{
	PyObjectArenaAllocator allocator = {NULL, arena_take, arena_give};
	char *map = mmap(NULL, REGION_BYTES + HUGE_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return;
	region.start = map + (-(uintptr_t)map & (HUGE_BYTES - 1));
	region.next = region.start;
	region.end = region.start + REGION_BYTES;
	region.is_open = madvise(region.start, REGION_BYTES, MADV_HUGEPAGE) == 0;
	PyObject_SetArenaAllocator(&allocator);
	heap_start = sbrk(0);
	heap_start += -(uintptr_t)heap_start & (HUGE_BYTES - 1);
}

void arena_close_region(void)
{
	region.is_open = false;
}

/* Takes objects of one size until one lies in the newest arena, or enough has been tried. */
static void fill(size_t size, size_t *budget)
{
	while (*budget >= size) {
		char *object = PyObject_Malloc(size);

		*budget -= size;
		if (object == NULL || object >= region.next - ARENA_BYTES)
			return;
	}
}

void arena_prime(void)
{
	size_t budget = PRIME_BYTES;
	char *before = region.next;

	if (!region.is_open)
		return;
	/* Whole pools first, wherever they are free, until there is a new arena. */
	while (region.next == before && budget >= OBJECT_BYTES_MAX) {
		if (PyObject_Malloc(OBJECT_BYTES_MAX) == NULL)
			return;
		budget -= OBJECT_BYTES_MAX;
	}
	for (size_t size = OBJECT_BYTES_STEP; size <= OBJECT_BYTES_MAX;
	     size += OBJECT_BYTES_STEP)
		fill(size, &budget);
}

void arena_collapse(void)
{
	char *heap_end = sbrk(0);

	heap_end -= (uintptr_t)heap_end & (HUGE_BYTES - 1);
	if (heap_start != NULL && heap_end > heap_start)
		(void)madvise(heap_start, (size_t)(heap_end - heap_start), MADV_COLLAPSE);
}
