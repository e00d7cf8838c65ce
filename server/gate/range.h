/*
 * server/gate/range.h - the parts of RFC 9110 and RFC 3986 that a file's address and its
 * headers are written in. Bytes from callers; nothing is believed, nothing is allocated.
 */
#ifndef SERVER_GATE_RANGE_H
#define SERVER_GATE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/gate/text.h"

enum range_verdict {
	RANGE_WHOLE,	    /* no range that is understood: the whole file */
	RANGE_PART,	    /* *ret_first and *ret_length lie in the file */
	RANGE_UNSATISFIABLE /* it begins behind the end */
};

/* A Range header (RFC 9110 section 14.2) of one range. Another unit, several ranges and what
 * does not follow the grammar are ignored, as the section allows. */
enum range_verdict range_parse(struct text value, uint64_t size, uint64_t *ret_first,
			       uint64_t *ret_length);

/* Is `etag`, which comes with its quotes, in an If-None-Match (section 13.1.2)? Compared
 * weakly; "*" is any. */
bool etag_is_listed(struct text list, const char *etag);

/* The same of an If-Match (section 13.1.1), compared strongly: a weak one is none. */
bool etag_is_matched(struct text list, const char *etag);

/* Decodes a path as an address carries it (RFC 3986 section 2.1) and insists that it is
 * relative and normalised: no empty, "." or ".." segment, no control character, valid UTF-8, no
 * escaped slash. `ret` has `capacity` bytes with the final NUL. */
bool path_decode(struct text escaped, char *ret, size_t capacity);

#endif
