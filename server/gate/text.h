/*
 * server/gate/text.h - borrowed pieces of a request head, and the few questions asked of them.
 *
 * A text points into the bytes as they were received: it is not NUL-terminated and dies with
 * them. Nothing here allocates.
 */
#ifndef SERVER_GATE_TEXT_H
#define SERVER_GATE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	const char *data;
	size_t length;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

/* Equal as they are; equal when ASCII letters count as the same in both cases. */
bool text_is(struct text text, const char *word);
bool text_is_caseless(struct text text, const char *word);
bool text_equals_caseless(struct text one, struct text two);

/* Without spaces and tabs at both ends (OWS of RFC 9110). */
struct text text_trim(struct text text);

/* True when every byte is one of RFC 9110's token characters, and there is one. */
bool text_is_token(struct text text);

/* Cuts the next trimmed element off `rest` at `separator`; quoted strings hide separators.
 * False when nothing is left. Elements can be empty. */
bool text_next(struct text *rest, char separator, struct text *ret);

/* Copies into `ret` of `capacity` bytes with a final NUL; what does not fit is cut off. */
void text_copy(struct text text, char *ret, size_t capacity);

bool char_is_digit(char c);
bool char_is_hex(char c);
bool char_is_alnum(char c);
bool char_is_token(char c);

#endif
