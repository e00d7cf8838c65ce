#include "validator/schema_uri.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

struct piece {
	const char *data; /* NULL: not there, which differs from empty */
	size_t length;
};

struct uri {
	struct piece scheme, authority, path, query;
	const char *fragment; /* NULL: none */
};

static bool is_scheme(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

		if (!is_letter && (i == 0 || strchr("0123456789+-.", c) == NULL))
			return false;
	}
	return length > 0;
}

static void uri_split(const char *text, struct uri *ret)
{
	size_t length = strcspn(text, ":/?#");

	*ret = (struct uri){.fragment = NULL};
	if (text[length] == ':' && is_scheme(text, length)) {
		ret->scheme = (struct piece){text, length};
		text += length + 1;
	}
	if (text[0] == '/' && text[1] == '/') {
		length = strcspn(text + 2, "/?#");
		ret->authority = (struct piece){text + 2, length};
		text += 2 + length;
	}
	length = strcspn(text, "?#");
	ret->path = (struct piece){text, length};
	text += length;
	if (*text == '?') {
		length = strcspn(text + 1, "#");
		ret->query = (struct piece){text + 1, length};
		text += 1 + length;
	}
	if (*text == '#')
		ret->fragment = text + 1;
}

/* RFC 3986 section 5.2.4, segment by segment. */
static void put_path(struct buf *ret, const char *path, size_t length)
{
	size_t start = ret->length;
	size_t at = 0;

	while (at < length) {
		size_t end = at + 1;
		size_t name = at + (path[at] == '/');
		bool is_last;

		while (end < length && path[end] != '/')
			end++;
		is_last = end == length;
		if (end - name == 1 && path[name] == '.') {
			if (is_last && path[at] == '/')
				buf_add_char(ret, '/');
		} else if (end - name == 2 && memcmp(path + name, "..", 2) == 0) {
			while (ret->length > start && ret->data[ret->length - 1] != '/')
				ret->length--;
			if (ret->length > start)
				ret->length--;
			if (is_last && path[at] == '/')
				buf_add_char(ret, '/');
		} else
			buf_add(ret, path + at, end - at);
		at = end;
	}
}

/* Section 5.2.3: the base's path up to its last slash, then the reference's. */
static void put_merged(struct buf *ret, const struct uri *base, const struct uri *reference)
{
	size_t kept = base->path.length;
	own_buf merged;

	buf_init(&merged, 2 * SCHEMA_URI_MAX);
	while (kept > 0 && base->path.data[kept - 1] != '/')
		kept--;
	if (kept == 0 && base->authority.data != NULL)
		buf_add_char(&merged, '/');
	buf_add(&merged, base->path.data, kept);
	buf_add(&merged, reference->path.data, reference->path.length);
	put_path(ret, merged.data != NULL ? merged.data : "", merged.length);
}

static void put_piece(struct buf *ret, const char *before, const struct piece *piece,
		      const char *after)
{
	if (piece->data == NULL)
		return;
	buf_add_str(ret, before);
	buf_add(ret, piece->data, piece->length);
	buf_add_str(ret, after);
}

static void put_resolved(struct buf *ret, const struct uri *base, const struct uri *reference)
{
	const struct uri *from = reference;
	bool is_absolute = reference->scheme.data != NULL;

	put_piece(ret, "", is_absolute ? &reference->scheme : &base->scheme, ":");
	if (is_absolute || reference->authority.data != NULL) {
		put_piece(ret, "//", &reference->authority, "");
		/* The path of a URN is no path: it is kept as it is. */
		if (reference->authority.data != NULL || reference->path.data[0] == '/')
			put_path(ret, reference->path.data, reference->path.length);
		else
			buf_add(ret, reference->path.data, reference->path.length);
		put_piece(ret, "?", &reference->query, "");
		return;
	}
	put_piece(ret, "//", &base->authority, "");
	if (reference->path.length == 0) {
		buf_add(ret, base->path.data, base->path.length);
		from = reference->query.data != NULL ? reference : base;
	} else if (reference->path.data[0] == '/')
		put_path(ret, reference->path.data, reference->path.length);
	else
		put_merged(ret, base, reference);
	put_piece(ret, "?", &from->query, "");
}

int uri_resolve(const char *base, const char *reference, char **ret_uri,
		const char **ret_fragment)
{
	struct uri base_uri;
	struct uri reference_uri;
	struct buf text;

	if (strlen(base) > SCHEMA_URI_MAX || strlen(reference) > SCHEMA_URI_MAX)
		return -EINVAL;
	buf_init(&text, 4 * SCHEMA_URI_MAX);
	uri_split(base, &base_uri);
	uri_split(reference, &reference_uri);
	put_resolved(&text, &base_uri, &reference_uri);
	buf_add(&text, "", 0); /* an empty URI is a text as well */
	if (text.has_failed) {
		buf_done(&text);
		return -ENOMEM;
	}
	*ret_uri = text.data;
	*ret_fragment = reference_uri.fragment != NULL ? reference_uri.fragment : "";
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int uri_decode(char *text)
{
	char *out = text;

	for (; *text != '\0'; text++) {
		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		if (hex_value(text[1]) < 0 || hex_value(text[2]) < 0)
			return -EINVAL;
		*out = (char)(hex_value(text[1]) * 16 + hex_value(text[2]));
		if (*out++ == '\0')
			return -EINVAL;
		text += 2;
	}
	*out = '\0';
	return 0;
}
