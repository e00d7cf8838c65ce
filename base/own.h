/*
 * base/own.h - ownership by scope.
 *
 * A variable declared `own_fd` or `own_mem` releases what it holds when its scope ends, on
 * every path. `fd_take` and `mem_take` move the value out to a new owner. Cleanup keeps errno.
 */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define nodiscard __attribute__((warn_unused_result))

static inline void own_fd_done(const int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		(void)close(*fd);
		errno = saved;
	}
}

static inline void own_mem_done(void *slot)
{
	void **mem = slot;

	free(*mem);
}

/* Closes the descriptor at scope end unless it is negative. Initialise it: -1 means none. */
#define own_fd __attribute__((cleanup(own_fd_done))) int

/* Frees the pointer at scope end. Goes before the type: `own_mem char *text = NULL;`. */
#define own_mem __attribute__((cleanup(own_mem_done)))

/* Moves a descriptor out of its owner: the caller closes the returned one. */
nodiscard static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Closes a descriptor held in a structure and marks it empty; -1 is legal. */
static inline void fd_drop(int *fd)
{
	own_fd_done(fd);
	*fd = -1;
}

/* Moves memory out of its owner: `*ret = mem_take(&local);`. */
#define mem_take(slot)                                \
	__extension__({                               \
		__typeof__(*(slot)) taken_ = *(slot); \
		*(slot) = NULL;                       \
		taken_;                               \
	})

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
