/*
 * base/memfd.h - payloads too large for a message: anonymous files sealed against change
 * (memfd_create(2), F_ADD_SEALS).
 *
 * A receiver maps a payload only after it has checked that the sender can neither shrink nor
 * rewrite it, so no SIGBUS and no change between check and use.
 */
#ifndef BASE_MEMFD_H
#define BASE_MEMFD_H

#include <stddef.h>

#include "base/err.h"

/* A read-only view of a sealed memfd; given back by span_done(). */
struct span {
	const char *data; /* not NUL-terminated; a valid pointer even when length is 0 */
	size_t length;
	size_t mapped; /* bytes to unmap; 0: nothing */
	char *copied;  /* memory to free; NULL: none */
};

/* Smaller payloads are copied: one read costs a third of mapping and unmapping a page, and an
 * execution passes half a dozen of them. */
#define MEMFD_COPY_BYTES 32768

#define own_span __attribute__((cleanup(span_done))) struct span

/* A new unsealed memfd, close-on-exec. `name` shows in /proc only. */
nodiscard int memfd_new(const char *name, int *ret_fd, struct err *err);

/* Adds these bytes at its end. */
nodiscard int memfd_add(int fd, const void *data, size_t length, struct err *err);

/* Seals against writing, growing and shrinking, and against further seals. */
nodiscard int memfd_seal(int fd, struct err *err);

/* A sealed memfd with these bytes. */
nodiscard int memfd_from(const char *name, const void *data, size_t length, int *ret_fd,
			 struct err *err);

/* What memfd_map() insists on, without mapping: for those who only pass it on. */
nodiscard int memfd_check(int fd, size_t limit, struct err *err);

/* Checks seals and size (at most `limit` bytes) and maps or copies it. `fd` stays the caller's.
 */
nodiscard int memfd_map(int fd, size_t limit, struct span *ret, struct err *err);

void span_done(struct span *span);

#endif
