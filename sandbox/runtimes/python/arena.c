#include "sandbox/runtimes/python/arena.h"

#include <Python.h>
#include <malloc.h>
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

/* Of malloc: it maps larger pieces, and its sizes differ by this. */
#define HEAP_PIECE_MAX	(128ul << 10)
#define HEAP_STEP	16
#define HEAP_MAPPED_MIN (2ul << 20) /* the table of interned strings is 1 MiB with pandas */

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

/* Where what workers allocate begins, once the gaps before it are filled. */
static struct {
	char *arena;
	char *heap;
} fresh;

static char *heap_start; /* of malloc's own, at a large page's border */

/* The interpreter's own, while old memory is kept: of large pieces, of objects. */
static PyMemAllocatorEx plain_raw;
static PyMemAllocatorEx plain_object;
static void *volatile kept; /* or the compiler would leave out what is for malloc's sake */

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

/*
 * The heap goes on at a large page's border, so that no part of what is to come lies in small
 * ones. What malloc would map by itself because of its size lies there too: it changes its mind
 * about pieces of a size of which one has been freed.
 */
static void align_heap(void)
{
	size_t rest = -(uintptr_t)sbrk(0) & (HUGE_BYTES - 1);

	if (sbrk((intptr_t)rest) == (void *)-1) // NOLINT(performance-no-int-to-ptr)
		return;
	heap_start = sbrk(0);
	kept = malloc(HEAP_MAPPED_MIN);
	free(kept);
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
	align_heap();
}

void arena_close_region(void)
{
	region.is_open = false;
}

/*
 * From here on a new arena is used, and malloc's memory from a new page's border on: in
 * ordinary pages, most of which nobody has touched. An empty page costs a worker less than the
 * copy of one, and no large one is taken apart for it.
 */
static void begin_anew(void)
{
	size_t budget = PRIME_BYTES;
	char *heap_end = (char *)sbrk(0) - mallinfo2().keepcost;
	size_t rest = -(uintptr_t)heap_end & (HUGE_BYTES - 1);

	kept = malloc(rest);
	fresh.heap = heap_end + rest;
	region.next += -(uintptr_t)region.next & (HUGE_BYTES - 1);
	(void)madvise(region.next, (size_t)(region.end - region.next), MADV_NOHUGEPAGE);
	fresh.arena = region.next;
	/* Whole pools first, wherever they are free, until there is a new arena. */
	while (region.next == fresh.arena && budget >= OBJECT_BYTES_MAX) {
		if (PyObject_Malloc(OBJECT_BYTES_MAX) == NULL)
			return;
		budget -= OBJECT_BYTES_MAX;
	}
}

static bool is_old(const char *object)
{
	return (object >= region.start && object < fresh.arena) ||
	       (object >= heap_start && object < fresh.heap);
}

static void give_raw(void *context, void *piece)
{
	if (!is_old(piece))
		plain_raw.free(context, piece);
}

static void give_object(void *context, void *object)
{
	if (!is_old(object))
		plain_object.free(context, object);
}

void arena_keep_old(bool keep)
{
	PyMemAllocatorEx raw;
	PyMemAllocatorEx object;

	if (fresh.arena == NULL)
		return;
	if (keep) {
		PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &plain_raw);
		PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &plain_object);
	}
	raw = plain_raw;
	object = plain_object;
	if (keep) {
		raw.free = give_raw;
		object.free = give_object;
	}
	PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &raw);
	/* The same under two names. */
	PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &object);
	PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &object);
}

/* Takes objects of one size until one lies in the new arena, or enough has been tried. */
static void fill_pools(size_t size, size_t *budget)
{
	while (*budget >= size) {
		char *object = PyObject_Malloc(size);

		*budget -= size;
		if (object == NULL)
			return;
		if (object >= fresh.arena && object < region.next) {
			PyObject_Free(object);
			return;
		}
	}
}

/* The largest pieces first. */
static void fill_heap(void)
{
	for (size_t size = HEAP_PIECE_MAX; size > 0; size -= HEAP_STEP) {
		char *piece = malloc(size);

		while (piece != NULL && piece < fresh.heap)
			piece = malloc(size);
		free(piece);
	}
}

void arena_prime(void)
{
	size_t budget = PRIME_BYTES;

	if (!region.is_open)
		return;
	begin_anew();
	for (size_t size = OBJECT_BYTES_STEP; size <= OBJECT_BYTES_MAX;
	     size += OBJECT_BYTES_STEP)
		fill_pools(size, &budget);
	fill_heap();
}

void arena_collapse(void)
{
	char *heap_end = sbrk(0);

	heap_end -= (uintptr_t)heap_end & (HUGE_BYTES - 1);
	if (heap_start != NULL && heap_end > heap_start)
		(void)madvise(heap_start, (size_t)(heap_end - heap_start), MADV_COLLAPSE);
}
