/*
 * schema/bundle.h - the container for what is too large for a message: a job's payload on its
 * way in, its outcome on its way out. It travels as a sealed memfd.
 *
 * Layout: entries one after another, each a 16-byte little-endian header (u16 kind, u16 name
 * bytes, u32 zero, u64 data bytes), the name, the data. No padding, no index: a reader walks
 * it once, and every length is checked against what is left before it is used.
 */
#ifndef SCHEMA_BUNDLE_H
#define SCHEMA_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/memfd.h"

enum bundle_kind {
	/* Payload: made by the validator, read by the worker. CODE is always the first entry.
	 */
	BUNDLE_CODE = 1,
	BUNDLE_STDIN,
	BUNDLE_ARG,  /* data: one argument */
	BUNDLE_ENV,  /* name, data: one variable */
	BUNDLE_FILE, /* name: path relative to the workspace; data: content */
	/* Outcome: made by the warden, read by the validator. */
	BUNDLE_STDOUT,
	BUNDLE_STDERR,
	BUNDLE_REPORT,	    /* the worker's own JSON: untrusted */
	BUNDLE_RESULT_FILE, /* name: path; data: u64 size, u8 has_content, then the content */
	BUNDLE_EVENT,	    /* data: struct event (schema/events.h) as on the wire */
	/* Payload again. */
	BUNDLE_GUARD, /* data: names a policy denies while code runs (schema/guard.h) */
	BUNDLE_KIND_MAX = BUNDLE_GUARD
};

#define BUNDLE_HEADER_BYTES 16
/* BUNDLE_RESULT_FILE: bytes before the content. Without content the file was too large. */
#define BUNDLE_FILE_HEADER_BYTES 9

/* One entry; the pointers live as long as the mapped bundle. */
struct bundle_entry {
	uint16_t kind;
	const char *name; /* not NUL-terminated */
	size_t name_length;
	const char *data;
	size_t length;
};

struct bundle_reader {
	const char *data;
	size_t length;
	size_t at;
};

/* Appends one entry; failures stick in `buf`. */
void bundle_add(struct buf *buf, enum bundle_kind kind, const void *name, size_t name_length,
		const void *data, size_t length);

/* Appends only the header of an entry whose name and data the caller appends next. */
void bundle_add_header(struct buf *buf, enum bundle_kind kind, size_t name_length,
		       size_t length);

/* Whether entries of that kind belong into a payload. */
bool bundle_is_payload(uint16_t kind);

void bundle_reader_init(struct bundle_reader *reader, const struct span *span);

/* 1: an entry; 0: the end; -EBADMSG: malformed. */
nodiscard int bundle_next(struct bundle_reader *reader, struct bundle_entry *ret,
			  struct err *err);

#endif
