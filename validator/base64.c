#include "validator/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Chunk on the stack between the loop and the buffer: one addition per 3 KiB. */
#define CHUNK_GROUPS 1024

static int sextet(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Characters of the last group that are not padding: 4, 3 or 2. */
static size_t last_group(const char *text, size_t length)
{
	if (length == 0 || text[length - 1] != '=')
		return 4;
	return text[length - 2] == '=' ? 2 : 3;
}

static int decode_group(const char *text, size_t used, uint8_t *ret, size_t *ret_at)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < used; i++) {
		int value = sextet((unsigned char)text[i]);

		if (value < 0) {
			*ret_at += i;
			return -EINVAL;
		}
		bits |= (uint32_t)value << (18 - 6 * i);
	}
	/* Bits behind the last whole byte must be zero (RFC 4648 section 3.5). */
	if ((bits & ((1u << (8 * (4 - used))) - 1)) != 0 && used < 4) {
		*ret_at += used - 1;
		return -EINVAL;
	}
	ret[0] = (uint8_t)(bits >> 16);
	ret[1] = (uint8_t)(bits >> 8);
	ret[2] = (uint8_t)bits;
	return 0;
}

size_t base64_decoded_bytes(const char *text, size_t length)
{
	if (length == 0 || length % 4 != 0)
		return length / 4 * 3;
	return length / 4 * 3 - (4 - last_group(text, length));
}

int base64_decode(const char *text, size_t length, struct buf *out, size_t *ret_at)
{
	uint8_t chunk[3 * CHUNK_GROUPS];
	size_t filled = 0;

	if (length % 4 != 0) {
		*ret_at = length;
		return -EINVAL;
	}
	for (size_t at = 0; at < length; at += 4) {
		size_t used = at + 4 == length ? last_group(text, length) : 4;

		*ret_at = at;
		if (decode_group(text + at, used, chunk + filled, ret_at) != 0)
			return -EINVAL;
		filled += used - 1;
		if (filled + 3 > sizeof(chunk)) {
			buf_add(out, chunk, filled);
			filled = 0;
		}
	}
	buf_add(out, chunk, filled);
	return 0;
}

void base64_encode(const void *data, size_t length, struct buf *out)
{
	const uint8_t *bytes = data;
	char chunk[4 * CHUNK_GROUPS];
	size_t filled = 0;

	for (size_t at = 0; at < length; at += 3) {
		size_t left = length - at < 3 ? length - at : 3;
		uint32_t bits = (uint32_t)bytes[at] << 16 |
				(left > 1 ? (uint32_t)bytes[at + 1] << 8 : 0) |
				(left > 2 ? (uint32_t)bytes[at + 2] : 0);

		for (size_t i = 0; i < 4; i++)
			chunk[filled + i] = alphabet[bits >> (18 - 6 * i) & 63];
		for (size_t i = left + 1; i < 4; i++)
			chunk[filled + i] = '=';
		filled += 4;
		if (filled == sizeof(chunk)) {
			buf_add(out, chunk, filled);
			filled = 0;
		}
	}
	buf_add(out, chunk, filled);
}
