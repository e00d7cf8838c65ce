/*
 * Patterns that need no backtracking: ^, then ASCII classes or characters with counts, then $,
 * where what may follow a class that repeats is never in it. Taking as much as fits is then the
 * only way to match, and one pass over the text decides. Names and identifiers are of this
 * kind.
 */
#include <string.h>

#include "validator/schema_pattern.h"

struct line_reader {
	const char *at, *end;
};

static void add_range(struct quick_item *item, unsigned low, unsigned high)
{
	for (unsigned c = low; c <= high; c++)
		item->set[c / 64] |= (uint64_t)1 << c % 64;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7F && strchr("\\^$.*+?()[]{}|", c) == NULL;
}

/* One character of a class, -1: something else. */
static int take_char(struct line_reader *reader)
{
	unsigned char c;

	if (reader->at == reader->end)
		return -1;
	c = (unsigned char)*reader->at;
	if (c == '\\' && reader->end - reader->at > 1 && reader->at[1] > 0x20 &&
	    strchr("\\^$.*+?()[]{}|/-", reader->at[1]) != NULL) {
		reader->at += 2;
		return reader->at[-1];
	}
	if (c < 0x20 || c >= 0x7F || c == '\\' || c == ']' || c == '[' || c == '^')
		return -1;
	reader->at++;
	return c;
}

static bool take_class(struct line_reader *reader, struct quick_item *item)
{
	reader->at++;
	while (reader->at < reader->end && *reader->at != ']') {
		int low = take_char(reader);
		int high = low;

		if (low < 0)
			return false;
		if (reader->end - reader->at > 1 && reader->at[0] == '-' &&
		    reader->at[1] != ']') {
			reader->at++;
			high = take_char(reader);
		}
		if (high < low)
			return false;
		add_range(item, (unsigned)low, (unsigned)high);
	}
	return reader->at++ < reader->end;
}

static bool take_set(struct line_reader *reader, struct quick_item *item)
{
	unsigned char c = (unsigned char)*reader->at;

	if (c == '[')
		return take_class(reader, item);
	if (c == '\\' && reader->end - reader->at > 1 && reader->at[1] == 'd') {
		add_range(item, '0', '9');
		reader->at += 2;
		return true;
	}
	if (!is_plain(c))
		return false;
	add_range(item, c, c);
	reader->at++;
	return true;
}

static bool take_number(struct line_reader *reader, size_t *ret)
{
	const char *start = reader->at;

	*ret = 0;
	for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' &&
	       reader->at - start < 6;
	     reader->at++)
		*ret = *ret * 10 + (size_t)(*reader->at - '0');
	return reader->at > start;
}

static bool take_braces(struct line_reader *reader, struct quick_item *item)
{
	reader->at++;
	if (!take_number(reader, &item->least))
		return false;
	item->most = item->least;
	if (reader->at < reader->end && *reader->at == ',') {
		reader->at++;
		if (!take_number(reader, &item->most))
			item->most = SIZE_MAX;
	}
	return reader->at < reader->end && *reader->at++ == '}' && item->least <= item->most;
}

static bool take_counts(struct line_reader *reader, struct quick_item *item)
{
	char c = reader->at < reader->end ? *reader->at : '\0';

	item->least = 1;
	item->most = 1;
	if (c == '{')
		return take_braces(reader, item);
	if (c == '\0' || strchr("*+?", c) == NULL)
		return true;
	item->least = c == '+' ? 1 : 0;
	item->most = c == '?' ? 1 : SIZE_MAX;
	reader->at++;
	return true;
}

/* What may follow an item that repeats must not be in it. */
static bool is_plain_line(const struct quick_pattern *pattern)
{
	for (size_t i = 0; i < pattern->count; i++) {
		const struct quick_item *item = &pattern->items[i];

		for (size_t k = i + 1; item->least < item->most && k < pattern->count; k++) {
			const struct quick_item *next = &pattern->items[k];

			if ((item->set[0] & next->set[0]) != 0 ||
			    (item->set[1] & next->set[1]) != 0)
				return false;
			if (next->least > 0)
				break;
		}
	}
	return true;
}

bool quick_pattern_make(const char *text, size_t length, struct quick_pattern *ret)
{
	struct line_reader reader = {text + 1, text + length - 1};

	*ret = (struct quick_pattern){.count = 0};
	if (length < 3 || text[0] != '^' || text[length - 1] != '$')
		return false;
	while (reader.at < reader.end) {
		struct quick_item *item = &ret->items[ret->count];

		if (ret->count == QUICK_ITEMS_MAX || !take_set(&reader, item) ||
		    !take_counts(&reader, item))
			return false;
		ret->count++;
	}
	return is_plain_line(ret);
}

bool quick_pattern_match(const struct quick_pattern *pattern, const char *data, size_t length)
{
	const unsigned char *at = (const unsigned char *)data;
	const unsigned char *end = at + length;

	for (size_t i = 0; i < pattern->count; i++) {
		const struct quick_item *item = &pattern->items[i];
		size_t count = 0;

		while (at < end && count < item->most && *at < 0x80 &&
		       (item->set[*at / 64] >> *at % 64 & 1) != 0) {
			at++;
			count++;
		}
		if (count < item->least)
			return false;
	}
	return at == end;
}
