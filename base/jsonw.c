#include "base/jsonw.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

void jsonw_init(struct jsonw *json, struct buf *buf)
{
	*json = (struct jsonw){.buf = buf};
}

/* The comma that separates this value from the one before it, unless it follows its key. */
static void jsonw_separate(struct jsonw *json)
{
	if (json->is_after_key) {
		json->is_after_key = false;
		return;
	}
	if (json->has_member[json->depth])
		buf_add_char(json->buf, ',');
	json->has_member[json->depth] = true;
}

static void jsonw_open(struct jsonw *json, char bracket)
{
	jsonw_separate(json);
	buf_add_char(json->buf, bracket);
	if (json->depth + 1 >= JSONW_DEPTH_MAX) {
		json->buf->has_failed = true;
		return;
	}
	json->has_member[++json->depth] = false;
}

static void jsonw_close(struct jsonw *json, char bracket)
{
	if (json->depth == 0) {
		json->buf->has_failed = true;
		return;
	}
	json->depth--;
	buf_add_char(json->buf, bracket);
}

void jsonw_object_open(struct jsonw *json)
{
	jsonw_open(json, '{');
}

void jsonw_object_close(struct jsonw *json)
{
	jsonw_close(json, '}');
}

void jsonw_array_open(struct jsonw *json)
{
	jsonw_open(json, '[');
}

void jsonw_array_close(struct jsonw *json)
{
	jsonw_close(json, ']');
}

static const char *short_escape(char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

/* A job may print megabytes of control characters: no printf here. */
static void add_unicode_escape(struct buf *buf, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char escape[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};

	buf_add(buf, escape, sizeof(escape));
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

static void jsonw_quoted(struct buf *buf, const char *data, size_t length)
{
	size_t at = 0;

	buf_add_char(buf, '"');
	while (at < length) {
		size_t run = at;
		size_t step;

		while (run < length && is_plain((unsigned char)data[run]))
			run++;
		if (run > at) {
			buf_add(buf, data + at, run - at);
			at = run;
			continue;
		}
		step = utf8_sequence(data + at, length - at);
		if (step == 0)
			buf_add_str(buf, "\xEF\xBF\xBD");
		else if (step > 1)
			buf_add(buf, data + at, step);
		else if (short_escape(data[at]) != NULL)
			buf_add_str(buf, short_escape(data[at]));
		else
			add_unicode_escape(buf, (unsigned char)data[at]);
		at += step == 0 ? 1 : step;
	}
	buf_add_char(buf, '"');
}

void jsonw_key(struct jsonw *json, const char *key)
{
	jsonw_separate(json);
	jsonw_quoted(json->buf, key, strlen(key));
	buf_add_char(json->buf, ':');
	json->is_after_key = true;
}

void jsonw_bytes(struct jsonw *json, const void *data, size_t length)
{
	jsonw_separate(json);
	jsonw_quoted(json->buf, data, length);
}

void jsonw_str(struct jsonw *json, const char *text)
{
	jsonw_bytes(json, text, strlen(text));
}

void jsonw_u64(struct jsonw *json, uint64_t value)
{
	jsonw_separate(json);
	buf_printf(json->buf, "%" PRIu64, value);
}

void jsonw_i64(struct jsonw *json, int64_t value)
{
	jsonw_separate(json);
	buf_printf(json->buf, "%" PRId64, value);
}

void jsonw_bool(struct jsonw *json, bool value)
{
	jsonw_separate(json);
	buf_add_str(json->buf, value ? "true" : "false");
}

void jsonw_null(struct jsonw *json)
{
	jsonw_separate(json);
	buf_add_str(json->buf, "null");
}

void jsonw_raw(struct jsonw *json, const char *text, size_t length)
{
	jsonw_separate(json);
	buf_add(json->buf, text, length);
}

void jsonw_key_str(struct jsonw *json, const char *key, const char *text)
{
	jsonw_key(json, key);
	jsonw_str(json, text);
}

void jsonw_key_u64(struct jsonw *json, const char *key, uint64_t value)
{
	jsonw_key(json, key);
	jsonw_u64(json, value);
}

void jsonw_key_bool(struct jsonw *json, const char *key, bool value)
{
	jsonw_key(json, key);
	jsonw_bool(json, value);
}
