/*
 * validator/base64.h - RFC 4648 section 4, strictly: the standard alphabet, padding required,
 * no white space, unused bits zero. So each byte string has exactly one text.
 */
#ifndef VALIDATOR_BASE64_H
#define VALIDATOR_BASE64_H

#include "base/buf.h"

/* Appends the decoded bytes. -EINVAL with *ret_at, the offset of the first wrong character;
 * what was appended before it is then garbage. A full buffer sticks in `out`. */
nodiscard int base64_decode(const char *text, size_t length, struct buf *out, size_t *ret_at);

/* Bytes that a well-formed text of this length stands for. */
size_t base64_decoded_bytes(const char *text, size_t length);

/* Appends the text of `data`. */
void base64_encode(const void *data, size_t length, struct buf *out);

#endif
