/*
 * base/buf.h - a growing byte buffer with a hard maximum.
 *
 * The first failure (limit reached, no memory) sticks: later additions do nothing, and
 * `buf_check` reports it once at the end. The bytes are always followed by a NUL that is
 * not counted in `length`.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf {
	char *data; /* owned; NULL while empty */
	size_t length;
	size_t capacity;
	size_t limit; /* bytes, at most */
	bool has_failed;
};

/* An empty buffer that never grows beyond `limit` bytes. Nothing is allocated yet. */
void buf_init(struct buf *buf, size_t limit);

/* Frees the bytes; legal on an empty or already done buffer. */
void buf_done(struct buf *buf);

#define own_buf __attribute__((cleanup(buf_done))) struct buf

void buf_add(struct buf *buf, const void *data, size_t length);
void buf_add_str(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds what `fd` gives until its end, or a little more than fits. 0, or a negative errno of
 * read(2); that it did not fit buf_check() says. */
nodiscard int buf_read(struct buf *buf, int fd);

/* 0, or -E2BIG when an addition did not fit or memory ran out. */
nodiscard int buf_check(const struct buf *buf, struct err *err);

#endif
