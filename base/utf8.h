/*
 * base/utf8.h - UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, no value
 * above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length in bytes (1 to 4) of the valid sequence that starts at `data`, or 0 if none does. */
size_t utf8_sequence(const void *data, size_t length);

/* Writes the sequence of a scalar value (no surrogate, at most U+10FFFF); returns its length.
 */
size_t utf8_encode(uint32_t value, char ret[4]);

/* True when every byte belongs to a valid sequence. The empty string is valid. */
bool utf8_is_valid(const void *data, size_t length);

/* Whether the sequence at `data` changes the direction of text: the embeddings, overrides and
 * isolates of the bidirectional algorithm, U+202A to U+202E and U+2066 to U+2069 (Trojan
 * Source, CVE-2021-42574). */
bool utf8_turns_text(const void *data, size_t length);

/* Whether the byte is an ASCII control character other than the white space of texts. */
bool utf8_is_control(unsigned char c);

#endif
