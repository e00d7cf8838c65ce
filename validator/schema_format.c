/* The format vocabularies: keywords, dates (RFC 3339) and formats of text itself. */
#include "validator/schema_format.h"

#include <string.h>

#include "validator/schema_check.h"

struct reader {
	const char *at, *end;
};

static bool take(struct reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static bool is_digit(const struct reader *reader)
{
	return reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
}

/* Exactly `digits` digits whose value is at most `most`. */
static bool take_number(struct reader *reader, unsigned digits, unsigned most, unsigned *ret)
{
	*ret = 0;
	for (; digits > 0; digits--) {
		if (!is_digit(reader))
			return false;
		*ret = *ret * 10 + (unsigned)(*reader->at++ - '0');
	}
	return *ret <= most;
}

/* --- dates and times: RFC 3339 section 5.6 ----------------------------------------------- */

static bool take_date(struct reader *reader)
{
	static const unsigned days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned year;
	unsigned month;
	unsigned day;
	bool is_leap;

	if (!take_number(reader, 4, 9999, &year) || !take(reader, '-') ||
	    !take_number(reader, 2, 12, &month) || !take(reader, '-') ||
	    !take_number(reader, 2, 31, &day) || month == 0 || day == 0)
		return false;
	is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= days[month - 1] && (month != 2 || day < 29 || is_leap);
}

/* "Z" or "+01:30"; gives the minutes to subtract for UTC. */
static bool take_offset(struct reader *reader, int *ret_minutes)
{
	bool is_west;
	unsigned hours;
	unsigned minutes;

	*ret_minutes = 0;
	if (take(reader, 'Z') || take(reader, 'z'))
		return true;
	is_west = take(reader, '-');
	if ((!is_west && !take(reader, '+')) || !take_number(reader, 2, 23, &hours) ||
	    !take(reader, ':') || !take_number(reader, 2, 59, &minutes))
		return false;
	*ret_minutes = (int)(hours * 60 + minutes) * (is_west ? -1 : 1);
	return true;
}

static bool take_time(struct reader *reader)
{
	unsigned hour;
	unsigned minute;
	unsigned second;
	int offset;
	int utc;

	if (!take_number(reader, 2, 23, &hour) || !take(reader, ':') ||
	    !take_number(reader, 2, 59, &minute) || !take(reader, ':') ||
	    !take_number(reader, 2, 60, &second))
		return false;
	if (take(reader, '.')) {
		if (!is_digit(reader))
			return false;
		while (is_digit(reader))
			reader->at++;
	}
	if (!take_offset(reader, &offset))
		return false;
	utc = ((int)(hour * 60 + minute) - offset + 2 * 1440) % 1440;
	/* A leap second is the last of a day in UTC. */
	return second < 60 || utc == 23 * 60 + 59;
}

static bool format_date(const char *text, size_t length)
{
	struct reader reader = {text, text + length};

	return take_date(&reader) && reader.at == reader.end;
}

static bool format_time(const char *text, size_t length)
{
	struct reader reader = {text, text + length};

	return take_time(&reader) && reader.at == reader.end;
}

static bool format_date_time(const char *text, size_t length)
{
	struct reader reader = {text, text + length};

	return take_date(&reader) && (take(&reader, 'T') || take(&reader, 't')) &&
	       take_time(&reader) && reader.at == reader.end;
}

/* Parts of a duration in the order of `units`, each at most once, no gap between two (appendix
 * A). Returns how many there were, -1: it is none. */
static int take_parts(struct reader *reader, const char *units)
{
	const char *next = units;
	int count = 0;

	while (is_digit(reader)) {
		const char *found;

		while (is_digit(reader))
			reader->at++;
		found = reader->at < reader->end ? strchr(next, *reader->at) : NULL;
		if (found == NULL || (count > 0 && found != next))
			return -1;
		reader->at++;
		next = found + 1;
		count++;
		if (*next == '\0')
			break;
	}
	return count;
}

static bool format_duration(const char *text, size_t length)
{
	struct reader reader = {text, text + length};
	struct reader weeks;
	int parts;

	if (memchr(text, '\0', length) != NULL || !take(&reader, 'P'))
		return false;
	weeks = reader;
	if (take_parts(&weeks, "W") == 1 && weeks.at == weeks.end)
		return true;
	parts = take_parts(&reader, "YMD");
	if (parts < 0)
		return false;
	if (take(&reader, 'T') && take_parts(&reader, "HMS") <= 0)
		return false;
	return reader.at == reader.end && length > 1;
}

/* --- texts ------------------------------------------------------------------------------- */

static bool format_uuid(const char *text, size_t length)
{
	if (length != 36)
		return false;
	for (size_t i = 0; i < length; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		bool is_hex =
			text[i] != '\0' && strchr("0123456789abcdefABCDEF", text[i]) != NULL;

		if (is_dash ? text[i] != '-' : !is_hex)
			return false;
	}
	return true;
}

static bool format_pointer(const char *text, size_t length)
{
	if (length > 0 && text[0] != '/')
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] == '~' &&
		    (i + 1 == length || (text[i + 1] != '0' && text[i + 1] != '1')))
			return false;
	return true;
}

static bool format_relative_pointer(const char *text, size_t length)
{
	size_t digits = 0;

	while (digits < length && text[digits] >= '0' && text[digits] <= '9')
		digits++;
	if (digits == 0 || (text[0] == '0' && digits > 1))
		return false;
	if (length - digits == 1 && text[digits] == '#')
		return true;
	return format_pointer(text + digits, length - digits);
}

static bool format_regex(const char *text, size_t length)
{
	struct schema_pattern *pattern = NULL;
	struct err err;
	bool is_good = schema_pattern_new(text, length, &pattern, &err) == 0;

	schema_pattern_free(pattern);
	return is_good;
}

static const struct schema_format formats[] = {
	{"date-time", format_date_time, "2024-02-29T12:30:00Z"},
	{"date", format_date, "2024-02-29"},
	{"time", format_time, "12:30:00Z"},
	{"duration", format_duration, "P1DT12H"},
	{"email", format_email, "user@example.com"},
	{"idn-email", format_idn_email, "user@example.com"},
	{"hostname", format_hostname, "www.example.com"},
	{"ipv4", format_ipv4, "192.0.2.1"},
	{"ipv6", format_ipv6, "2001:db8::1"},
	{"uri", format_uri, "https://example.com/a?b#c"},
	{"uri-reference", format_uri_reference, "/a?b#c"},
	{"iri", format_iri, "https://example.com/a?b#c"},
	{"iri-reference", format_iri_reference, "/a?b#c"},
	{"uri-template", format_uri_template, "https://example.com/{name}"},
	{"uuid", format_uuid, "2eb8aa08-aa98-11ea-b4aa-73b441d16380"},
	{"json-pointer", format_pointer, "/a/0"},
	{"relative-json-pointer", format_relative_pointer, "1/a"},
	{"regex", format_regex, "^[a-z]+$"},
};

const struct schema_format *schema_format_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

/* --- the keyword ------------------------------------------------------------------------- */

static int take_format(struct compiler *compiler, json_t *value, struct err *err)
{
	unsigned known = compiler->node->resource->dialect->vocabularies;

	if (!json_is_string(value))
		return compile_error(compiler, NULL, "must be a string", err);
	if ((compiler->flags & SCHEMA_FORMATS) != 0 ||
	    (known & VOCABULARY_FORMAT_ASSERTION) != 0)
		compiler->node->format = schema_format_find(json_string_value(value));
	return 0;
}

const struct schema_keyword schema_format_keywords[] = {
	{"format", VOCABULARY_FORMAT_ANNOTATION | VOCABULARY_FORMAT_ASSERTION, take_format},
	{NULL, 0, NULL},
};

bool check_format(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place)
{
	const struct schema_format *format = node->format;
	char got[64];

	if (!json_is_string(value))
		return true;
	if (!charge(checker, 4 + json_string_length(value)))
		return false;
	/* Compiling a pattern costs about 50 ns a byte, and a class some hundred bytes. */
	if (format->is_good == format_regex &&
	    !charge(checker, 500 + 20 * json_string_length(value)))
		return false;
	if (format->is_good(json_string_value(value), json_string_length(value)))
		return true;
	error_hint(error_add(checker, node, "format", place, "\"%s\" is no %s",
			     text_show(got, sizeof(got), json_string_value(value),
				       json_string_length(value)),
			     format->name),
		   "Write it like %s.", format->example);
	return false;
}
