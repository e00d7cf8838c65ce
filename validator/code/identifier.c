/* Names as the language reads them, however they are spelt. */
#include <string.h>

#include "base/utf8.h"
#include "validator/code/fold.h"
#include "validator/code/names.h"

/* Python brings identifiers to NFKC. */
static uint32_t normalised(struct code *code, const char *text, size_t length)
{
	char plain[NAME_BYTES_MAX * 2];
	size_t used = 0;
	size_t i = 0;

	while (i < length && used + 8 < sizeof(plain)) {
		const unsigned char *c = (const unsigned char *)text + i;
		size_t bytes = utf8_sequence(text + i, length - i);
		uint32_t scalar = 0;
		size_t written = 0;

		if (bytes == 3)
			scalar = (c[0] & 15u) << 12 | (c[1] & 63u) << 6 | (c[2] & 63u);
		else if (bytes == 4)
			scalar = (c[0] & 7u) << 18 | (c[1] & 63u) << 12 | (c[2] & 63u) << 6 |
				 (c[3] & 63u);
		else if (bytes == 2)
			scalar = (c[0] & 31u) << 6 | (c[1] & 63u);
		if (scalar != 0)
			written = nfkc_ascii(scalar, plain + used);
		if (written == 0) {
			written = bytes == 0 ? 1 : bytes;
			memcpy(plain + used, c, written);
		}
		used += written;
		i += bytes == 0 ? 1 : bytes;
	}
	return code_intern(code, plain, used);
}

/* In JavaScript \u0065val is eval. */
static uint32_t unescaped(struct code *code, const char *text, size_t length)
{
	own_buf plain = {.data = NULL};

	buf_init(&plain, NAME_BYTES_MAX);
	fold_escapes(text, length, false, &plain);
	return plain.has_failed || plain.length == 0
		       ? 0
		       : code_intern(code, plain.data, plain.length);
}

uint32_t code_identifier(struct code *code, uint32_t node)
{
	const char *text;
	size_t length;

	if (node == CODE_NONE)
		return 0;
	text = code_text(code, node);
	length = code_length(code, node);
	if (length == 0 || length > NAME_BYTES_MAX)
		return 0;
	for (size_t i = 0; code->language == CODE_PYTHON && i < length; i++)
		if ((unsigned char)text[i] >= 0x80)
			return normalised(code, text, length);
	if (code->language == CODE_JAVASCRIPT && memchr(text, '\\', length) != NULL)
		return unescaped(code, text, length);
	return code_intern(code, text, length);
}
