/*
 * base/jsonw.h - writes JSON (RFC 8259) into a buffer; reads none.
 *
 * Commas are placed by the writer, so a caller only says what comes next. Strings must be
 * valid UTF-8 (RFC 3629); a byte that is not becomes U+FFFD, so the output is always valid
 * JSON. Failures stick in the buffer: check it once with buf_check().
 */
#ifndef BASE_JSONW_H
#define BASE_JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define JSONW_DEPTH_MAX 32 /* our documents nest under 10 levels */

struct jsonw {
	struct buf *buf; /* borrowed; outlives the writer */
	unsigned depth;
	bool has_member[JSONW_DEPTH_MAX];
	bool is_after_key;
};

void jsonw_init(struct jsonw *json, struct buf *buf);

void jsonw_object_open(struct jsonw *json);
void jsonw_object_close(struct jsonw *json);
void jsonw_array_open(struct jsonw *json);
void jsonw_array_close(struct jsonw *json);

void jsonw_key(struct jsonw *json, const char *key);
void jsonw_str(struct jsonw *json, const char *text);
void jsonw_bytes(struct jsonw *json, const void *data, size_t length);
void jsonw_u64(struct jsonw *json, uint64_t value);
void jsonw_i64(struct jsonw *json, int64_t value);
void jsonw_bool(struct jsonw *json, bool value);
void jsonw_null(struct jsonw *json);

/* Puts a JSON value that is already serialised; the caller vouches for it. */
void jsonw_raw(struct jsonw *json, const char *text, size_t length);

/* Key and value in one call. */
void jsonw_key_str(struct jsonw *json, const char *key, const char *text);
void jsonw_key_u64(struct jsonw *json, const char *key, uint64_t value);
void jsonw_key_bool(struct jsonw *json, const char *key, bool value);

#endif
