#include "validator/code/needs.h"

#include <string.h>

/* Groups in one another; ours go 3 deep. */
#define GROUPS_MAX 16

/* --- signs ------------------------------------------------------------------------------- */

static unsigned fold(char c)
{
	unsigned byte = (unsigned char)c;

	return byte >= 'A' && byte <= 'Z' ? byte | 0x20u : byte;
}

static void add_byte(struct signs *signs, unsigned byte)
{
	signs->words[SIGN_PAIR_WORDS + (byte >> 6 & 1u)] |= UINT64_C(1) << (byte & 63u);
}

static void add_pair(struct signs *signs, unsigned first, unsigned second)
{
	unsigned hash = (first * 167u + second * 59u) & (SIGN_PAIR_WORDS * 64u - 1);

	signs->words[hash / 64] |= UINT64_C(1) << hash % 64;
}

static void add_all(struct signs *signs, const struct signs *more)
{
	for (size_t i = 0; i < SIGN_WORDS; i++)
		signs->words[i] |= more->words[i];
}

static bool is_empty(const struct signs *signs)
{
	for (size_t i = 0; i < SIGN_WORDS; i++)
		if (signs->words[i] != 0)
			return false;
	return true;
}

void signs_of(const char *text, size_t length, struct signs *ret)
{
	unsigned before = 0;

	*ret = (struct signs){.words = {0}};
	for (size_t i = 0; i < length; i++) {
		unsigned byte = fold(text[i]);

		add_byte(ret, byte);
		if (i > 0)
			add_pair(ret, before, byte);
		before = byte;
	}
}

bool needs_met(const struct needs *needs, const struct signs *signs)
{
	for (size_t i = 0; i < needs->count; i++) {
		uint64_t missing = 0;

		for (size_t k = 0; k < SIGN_WORDS; k++)
			missing |= needs->list[i].words[k] & ~signs->words[k];
		if (missing == 0)
			return true;
	}
	return needs->count == 0;
}

/* --- one line of a pattern --------------------------------------------------------------- */

enum atom {
	ATOM_BYTE,    /* stands for itself */
	ATOM_OTHER,   /* one of several bytes, or a place */
	ATOM_GROUP,   /* what it needs is in `group` */
	ATOM_UNKNOWN, /* not understood: the pattern needs nothing */
};

struct reader {
	const char *at;
	unsigned depth;
};

/* What is read of one alternative: what all of it needs, and of the groups with alternatives
 * one that tells most. */
struct line {
	struct signs signs;
	struct needs groups;
	int before; /* byte that what comes next stands behind; -1: none */
};

static bool read_alternatives(struct reader *reader, struct needs *ret);

/* Behind a backslash: one of several bytes, a place, or a byte that is not looked for. */
#define ESCAPED_KINDS "bBsSwWdDnrt"
/* Behind a backslash: themselves. */
#define ESCAPED_SIGNS "\\^$.*+?()[]{}|/-'\"`!#%&,:;<=>@_~ "

/* Behind the backslash. */
static enum atom read_escape(struct reader *reader, unsigned *byte)
{
	char c = *reader->at;

	if (c == '\0' || (unsigned char)c >= 0x80)
		return ATOM_UNKNOWN;
	reader->at++;
	if (strchr(ESCAPED_KINDS, c) != NULL)
		return ATOM_OTHER;
	*byte = (unsigned char)c;
	return strchr(ESCAPED_SIGNS, c) != NULL ? ATOM_BYTE : ATOM_UNKNOWN;
}

/* Behind the bracket; where the class ends is all that counts. */
static enum atom read_class(struct reader *reader)
{
	reader->at += *reader->at == '^';
	reader->at += *reader->at == ']';
	while (*reader->at != ']') {
		if (*reader->at == '\0' ||
		    (*reader->at == '[' && strchr(":.=", reader->at[1]) != NULL))
			return ATOM_UNKNOWN;
		if (*reader->at == '\\') {
			reader->at++;
			if (*reader->at == '\0' ||
			    strchr(ESCAPED_KINDS ESCAPED_SIGNS "x", *reader->at) == NULL)
				return ATOM_UNKNOWN;
		}
		reader->at++;
	}
	reader->at++;
	return ATOM_OTHER;
}

/* Behind the parenthesis. Of what begins with a question mark only (?: and options that change
 * nothing here are understood. */
static enum atom read_group(struct reader *reader, struct needs *group)
{
	if (*reader->at == '*')
		return ATOM_UNKNOWN;
	if (*reader->at == '?') {
		reader->at += 1 + strspn(reader->at + 1, "ism");
		if (*reader->at == ')') {
			reader->at++;
			return ATOM_OTHER;
		}
		if (*reader->at++ != ':')
			return ATOM_UNKNOWN;
	}
	if (++reader->depth > GROUPS_MAX || !read_alternatives(reader, group) ||
	    *reader->at != ')')
		return ATOM_UNKNOWN;
	reader->depth--;
	reader->at++;
	return ATOM_GROUP;
}

static enum atom read_atom(struct reader *reader, unsigned *byte, struct needs *group)
{
	char c = *reader->at++;

	switch (c) {
	case '\\':
		return read_escape(reader, byte);
	case '[':
		return read_class(reader);
	case '(':
		return read_group(reader, group);
	case '.':
	case '^':
	case '$':
		return ATOM_OTHER;
	case '{': /* where it is none, it may be one to the next PCRE2 */
		if (strchr("0123456789, ", *reader->at) != NULL)
			return ATOM_UNKNOWN;
		break;
	default:
		break;
	}
	*byte = (unsigned char)c;
	return ATOM_BYTE;
}

/* Behind an atom: how often it may be there. False: not understood. */
static bool read_count(struct reader *reader, bool *is_optional, bool *is_counted)
{
	*is_optional = *is_counted = false;
	for (;; reader->at++) {
		if (*reader->at == '?' || *reader->at == '*')
			*is_optional = true;
		else if (*reader->at == '{' && strchr("0123456789, ", reader->at[1]) != NULL) {
			reader->at += 1 + strspn(reader->at + 1, "0123456789,");
			if (*reader->at != '}')
				return false;
			*is_optional = true; /* {0} too */
		} else if (*reader->at != '+')
			return true;
		*is_counted = true;
	}
}

/* Without all alternatives that need something a group says nothing. */
static void add_group(struct line *line, const struct needs *group)
{
	if (group->count == 1)
		add_all(&line->signs, &group->list[0]);
	else if (group->count > 0 && line->groups.count == 0)
		line->groups = *group;
}

static void add_literal(struct line *line, unsigned byte)
{
	add_byte(&line->signs, byte);
	if (line->before >= 0)
		add_pair(&line->signs, (unsigned)line->before, byte);
	line->before = (int)byte;
}

static bool read_line(struct reader *reader, struct line *line)
{
	*line = (struct line){.before = -1};
	while (*reader->at != '\0' && *reader->at != '|' && *reader->at != ')') {
		struct needs group;
		unsigned byte = 0;
		bool is_optional;
		bool is_counted;
		enum atom atom = read_atom(reader, &byte, &group);

		if (atom == ATOM_UNKNOWN || !read_count(reader, &is_optional, &is_counted))
			return false;
		if (atom == ATOM_GROUP && !is_optional)
			add_group(line, &group);
		if (atom == ATOM_BYTE && !is_optional)
			add_literal(line, fold((char)byte));
		if (atom != ATOM_BYTE || is_counted)
			line->before = -1;
	}
	return true;
}

/* --- alternatives ------------------------------------------------------------------------ */

/* False: one that needs nothing, or too many. */
static bool add_line(struct needs *needs, const struct line *line)
{
	size_t lines = line->groups.count > 0 ? line->groups.count : 1;

	for (size_t i = 0; i < lines; i++) {
		struct signs *signs = &needs->list[needs->count];

		if (needs->count == NEEDS_MAX)
			return false;
		*signs = line->signs;
		if (line->groups.count > 0)
			add_all(signs, &line->groups.list[i]);
		if (is_empty(signs))
			return false;
		needs->count++;
	}
	return true;
}

/* Up to the end or the closing parenthesis. False: not understood. */
static bool read_alternatives(struct reader *reader, struct needs *ret)
{
	bool is_any = false;

	ret->count = 0;
	for (;;) {
		struct line line;

		if (!read_line(reader, &line))
			return false;
		is_any = !add_line(ret, &line) || is_any;
		if (*reader->at != '|')
			break;
		reader->at++;
	}
	if (is_any)
		ret->count = 0;
	return true;
}

void needs_read(const char *pattern, struct needs *ret)
{
	struct reader reader = {.at = pattern};

	if (!read_alternatives(&reader, ret) || *reader.at != '\0')
		ret->count = 0;
}
