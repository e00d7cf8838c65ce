/*
 * base/wire.h - encoding of message bodies: little-endian, fixed width, nothing native.
 *
 * The writer and the reader carry a sticky failure, so a codec is a plain list of fields and
 * one check at its end. A body is decoded into a local, must be consumed exactly, and every
 * field is range-checked before anything is published. The field lists of schema/wire/ are
 * expanded over these functions by base/wire_gen.h.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct wr {
	uint8_t *data; /* borrowed */
	size_t capacity;
	size_t length;
	bool has_failed; /* the body did not fit */
};

struct rd {
	const uint8_t *data; /* borrowed */
	size_t length;
	size_t at;
	const char *bad_field; /* first field that was short or out of range; NULL while good */
};

void wr_init(struct wr *wr, void *data, size_t capacity);
void wr_uint(struct wr *wr, uint64_t value, unsigned bytes);
void wr_raw(struct wr *wr, const void *data, size_t length);
/* u16 length, then the bytes without the NUL. */
void wr_str(struct wr *wr, const char *text);

void rd_init(struct rd *rd, const void *data, size_t length);
/* `bytes` wide, `low` to `high` inclusive; 0 once the reader has failed. */
uint64_t rd_uint(struct rd *rd, const char *field, unsigned bytes, uint64_t low, uint64_t high);
int64_t rd_int(struct rd *rd, const char *field, int64_t low, int64_t high);
void rd_raw(struct rd *rd, const char *field, void *ret, size_t length);
/* `low` to `high` bytes into `ret`, which holds `high` + 1; no NUL inside is accepted. */
void rd_str(struct rd *rd, const char *field, char *ret, size_t low, size_t high);
/* 0 when every field was good and every byte was consumed, else -EBADMSG. */
nodiscard int rd_done(const struct rd *rd, const char *message, struct err *err);

#endif
