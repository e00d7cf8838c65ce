#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES	 16384 /* at once, on the stack */
#define BUF_CAPACITY_MIN 256   /* bytes; below this malloc's own overhead dominates */

void buf_init(struct buf *buf, size_t limit)
{
	*buf = (struct buf){.limit = limit};
}

void buf_done(struct buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->length = 0;
	buf->capacity = 0;
}

/* Makes room for `extra` bytes and the final NUL. */
static bool buf_reserve(struct buf *buf, size_t extra)
{
	size_t wanted;
	size_t capacity;
	char *grown;

	if (buf->has_failed)
		return false;
	if (extra > buf->limit || buf->length > buf->limit - extra) {
		buf->has_failed = true;
		return false;
	}
	wanted = buf->length + extra + 1;
	if (wanted <= buf->capacity)
		return true;
	capacity = buf->capacity > BUF_CAPACITY_MIN ? buf->capacity : BUF_CAPACITY_MIN;
	while (capacity < wanted && capacity <= buf->limit)
		capacity *= 2;
	if (capacity < wanted)
		capacity = wanted;
	grown = realloc(buf->data, capacity);
	if (grown == NULL) {
		buf->has_failed = true;
		return false;
	}
	buf->data = grown;
	buf->capacity = capacity;
	return true;
}

void buf_add(struct buf *buf, const void *data, size_t length)
{
	if (!buf_reserve(buf, length))
		return;
	if (length > 0)
		memcpy(buf->data + buf->length, data, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
}

void buf_add_str(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int wanted;

	va_start(args, format);
	wanted = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (wanted < 0 || !buf_reserve(buf, (size_t)wanted)) {
		buf->has_failed = true;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(buf->data + buf->length, (size_t)wanted + 1, format, args);
	va_end(args);
	buf->length += (size_t)wanted;
}

int buf_read(struct buf *buf, int fd)
{
	char chunk[READ_BYTES];
	ssize_t got = 1;

	while (got > 0 && !buf->has_failed) {
		got = read(fd, chunk, sizeof(chunk));
		if (got > 0)
			buf_add(buf, chunk, (size_t)got);
	}
	return got < 0 ? -errno : 0;
}

int buf_check(const struct buf *buf, struct err *err)
{
	if (buf->has_failed)
		return err_set(err, E2BIG, "buffer limit of %zu bytes reached", buf->limit);
	return 0;
}
