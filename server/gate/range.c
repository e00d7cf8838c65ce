#include "server/gate/range.h"

#include <string.h>

#include "base/utf8.h"

/* --- ranges ------------------------------------------------------------------------------ */

/* Digits only; what does not fit 64 bits is as far behind the end as anything. */
static bool number_parse(struct text text, uint64_t *ret)
{
	uint64_t number = 0;

	if (text.length == 0)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (!char_is_digit(text.data[i]))
			return false;
		if (__builtin_mul_overflow(number, 10u, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(text.data[i] - '0'), &number))
			number = UINT64_MAX / 16; /* grows no more in a few digits */
	}
	*ret = number;
	return true;
}

static enum range_verdict suffix(uint64_t wanted, uint64_t size, uint64_t *ret_first,
				 uint64_t *ret_length)
{
	if (wanted == 0 || size == 0)
		return RANGE_UNSATISFIABLE;
	*ret_length = wanted < size ? wanted : size;
	*ret_first = size - *ret_length;
	return RANGE_PART;
}

enum range_verdict range_parse(struct text value, uint64_t size, uint64_t *ret_first,
			       uint64_t *ret_length)
{
	static const char unit[] = "bytes=";
	const size_t unit_bytes = sizeof(unit) - 1;
	struct text before;
	struct text after;
	const char *dash;
	uint64_t first;
	uint64_t last = UINT64_MAX;

	if (value.length < unit_bytes ||
	    !text_is_caseless((struct text){value.data, unit_bytes}, unit))
		return RANGE_WHOLE;
	value = text_trim((struct text){value.data + unit_bytes, value.length - unit_bytes});
	dash = memchr(value.data, '-', value.length);
	if (dash == NULL)
		return RANGE_WHOLE;
	before = (struct text){value.data, (size_t)(dash - value.data)};
	after = (struct text){dash + 1, value.length - before.length - 1};
	if (before.length == 0)
		return number_parse(after, &last) ? suffix(last, size, ret_first, ret_length)
						  : RANGE_WHOLE;
	if (!number_parse(before, &first) ||
	    (after.length > 0 && !number_parse(after, &last)) || last < first)
		return RANGE_WHOLE;
	if (first >= size)
		return RANGE_UNSATISFIABLE;
	*ret_first = first;
	*ret_length = (last < size ? last : size - 1) - first + 1;
	return RANGE_PART;
}

/* --- entity tags ------------------------------------------------------------------------- */

bool etag_is_listed(struct text list, const char *etag)
{
	struct text one;

	while (text_next(&list, ',', &one)) {
		if (text_is(one, "*"))
			return true;
		if (one.length > 2 && memcmp(one.data, "W/", 2) == 0)
			one = (struct text){one.data + 2, one.length - 2};
		if (text_is(one, etag))
			return true;
	}
	return false;
}

bool etag_is_matched(struct text list, const char *etag)
{
	struct text one;

	while (text_next(&list, ',', &one))
		if (text_is(one, "*") || text_is(one, etag))
			return true;
	return false;
}

/* --- paths ------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes written, without the NUL; -1: malformed, or too long. */
static long unescape(struct text escaped, char *ret, size_t capacity)
{
	size_t length = 0;

	for (size_t at = 0; at < escaped.length; at++) {
		char c = escaped.data[at];

		if (c == '%') {
			int high =
				at + 2 < escaped.length ? hex_digit(escaped.data[at + 1]) : -1;
			int low =
				at + 2 < escaped.length ? hex_digit(escaped.data[at + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			c = (char)(high * 16 + low);
			/* Whoever escapes a slash means one that does not part segments, and no
			 * name has such a one. */
			if (c == '/')
				return -1;
			at += 2;
		}
		if (length + 1 >= capacity)
			return -1;
		ret[length++] = c;
	}
	ret[length] = '\0';
	return (long)length;
}

static bool is_segment(const char *text, size_t length)
{
	if (length == 0 || (length == 1 && text[0] == '.') ||
	    (length == 2 && memcmp(text, "..", 2) == 0))
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			return false;
	return true;
}

bool path_decode(struct text escaped, char *ret, size_t capacity)
{
	long length = unescape(escaped, ret, capacity);
	const char *at = ret;

	if (length <= 0 || !utf8_is_valid(ret, (size_t)length))
		return false;
	for (;;) {
		size_t left = (size_t)length - (size_t)(at - ret);
		const char *slash = memchr(at, '/', left);
		size_t segment = slash != NULL ? (size_t)(slash - at) : left;

		if (!is_segment(at, segment))
			return false;
		if (slash == NULL)
			return true;
		at = slash + 1;
	}
}
