/*
 * ECMA-262 patterns (Unicode mode) in PCRE2's language. The two agree on structure and differ
 * in what classes contain, in escapes and in extensions of PCRE2 that ECMA-262 does not have;
 * whatever is not ECMA-262 is refused, so that no pattern means here what it means nowhere
 * else. Taken as literals beyond the standard's Unicode mode, as its appendix B allows: { } ]
 * where they can mean nothing else, and escaped punctuation.
 */
#include <string.h>

#include "base/utf8.h"
#include "validator/schema_pattern.h"

/* White space and line ends of ECMA-262, and all the rest. */
#define SPACES                                                                      \
	"\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}" \
	"\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NO_SPACES                                                               \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-" \
	"\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}"    \
	"\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

#define GROUPS_MAX 1000	      /* capturing groups of one pattern */
#define IS_SET	   UINT32_MAX /* not one character but a class such as \d */

struct translator {
	const char *text;
	size_t length;
	size_t at;
	struct buf *out;
	const char *fault;
	unsigned groups;    /* in the whole pattern */
	unsigned open;	    /* groups open now */
	bool is_repeatable; /* an atom stands before */
};

static int peek(const struct translator *t, size_t ahead)
{
	return t->at + ahead < t->length ? (unsigned char)t->text[t->at + ahead] : -1;
}

static void refuse(struct translator *t, const char *fault)
{
	if (t->fault == NULL)
		t->fault = fault;
}

static bool take_text(struct translator *t, const char *text)
{
	size_t length = strlen(text);

	if (t->length - t->at < length || memcmp(t->text + t->at, text, length) != 0)
		return false;
	t->at += length;
	return true;
}

static int hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void put_character(struct translator *t, uint32_t value)
{
	buf_printf(t->out, "\\x{%x}", value);
}

/* --- escapes ----------------------------------------------------------------------------- */

/* Exactly `digits` hexadecimal digits at `ahead`; -1: they are none. */
static int64_t hex_at(const struct translator *t, size_t ahead, unsigned digits)
{
	int64_t value = 0;

	for (unsigned i = 0; i < digits; i++) {
		int digit = hex(peek(t, ahead + i));

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static uint32_t take_braced(struct translator *t)
{
	uint32_t value = 0;
	size_t start = ++t->at;

	while (hex(peek(t, 0)) >= 0 && value <= 0x10FFFF)
		value = value * 16 + (uint32_t)hex(peek(t, 0)), t->at++;
	if (t->at == start || value > 0x10FFFF || peek(t, 0) != '}')
		refuse(t, "\\u{...} names no character");
	t->at++;
	return value;
}

/* After "\u": four digits, two surrogates, or braces. */
static uint32_t take_unicode(struct translator *t)
{
	int64_t high = hex_at(t, 0, 4);
	int64_t low;

	if (peek(t, 0) == '{')
		return take_braced(t);
	if (high < 0) {
		refuse(t, "\\u needs four hexadecimal digits");
		return 0;
	}
	t->at += 4;
	if (high < 0xD800 || high > 0xDBFF || peek(t, 0) != '\\' || peek(t, 1) != 'u')
		return (uint32_t)high;
	low = hex_at(t, 2, 4);
	if (low < 0xDC00 || low > 0xDFFF)
		return (uint32_t)high;
	t->at += 6;
	return 0x10000 + ((uint32_t)high - 0xD800) * 0x400 + ((uint32_t)low - 0xDC00);
}

static uint32_t take_hex_pair(struct translator *t)
{
	int64_t value = hex_at(t, 0, 2);

	if (value < 0) {
		refuse(t, "\\x needs two hexadecimal digits");
		return 0;
	}
	t->at += 2;
	return (uint32_t)value;
}

static uint32_t take_control(struct translator *t)
{
	int letter = peek(t, 0);

	if (letter < 0 || (letter | 0x20) < 'a' || (letter | 0x20) > 'z') {
		refuse(t, "\\c needs a letter");
		return 0;
	}
	t->at++;
	return (uint32_t)letter & 31;
}

/* Escapes that mean one character, everywhere. `c` follows the backslash and was taken. */
static uint32_t character_escape(struct translator *t, int c)
{
	static const char names[] = "tnvfr";
	static const char values[] = "\t\n\v\f\r";
	const char *found = c > 0 ? memchr(names, c, sizeof(names) - 1) : NULL;

	if (found != NULL)
		return (uint32_t)values[found - names];
	switch (c) {
	case 'u':
		return take_unicode(t);
	case 'x':
		return take_hex_pair(t);
	case 'c':
		return take_control(t);
	case '0':
		if (peek(t, 0) >= '0' && peek(t, 0) <= '9')
			refuse(t, "octal escapes are no part of ECMA-262");
		return 0;
	default:
		if (c < 0)
			refuse(t, "the pattern ends after a backslash");
		else if (c >= 0x80 || (c >= '0' && c <= '9') ||
			 ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_')
			refuse(t, "an escape that ECMA-262 does not know");
		return c < 0 ? 0 : (uint32_t)c;
	}
}

/* General categories by their long names; short ones are PCRE2's own. */
static const char *category(const char *name)
{
	static const char *const names[][2] = {
		{"Letter", "L"},
		{"Cased_Letter", "L&"},
		{"LC", "L&"},
		{"Uppercase_Letter", "Lu"},
		{"Lowercase_Letter", "Ll"},
		{"Titlecase_Letter", "Lt"},
		{"Modifier_Letter", "Lm"},
		{"Other_Letter", "Lo"},
		{"Mark", "M"},
		{"Combining_Mark", "M"},
		{"Nonspacing_Mark", "Mn"},
		{"Spacing_Mark", "Mc"},
		{"Enclosing_Mark", "Me"},
		{"Number", "N"},
		{"Decimal_Number", "Nd"},
		{"digit", "Nd"},
		{"Letter_Number", "Nl"},
		{"Other_Number", "No"},
		{"Punctuation", "P"},
		{"punct", "P"},
		{"Connector_Punctuation", "Pc"},
		{"Dash_Punctuation", "Pd"},
		{"Open_Punctuation", "Ps"},
		{"Close_Punctuation", "Pe"},
		{"Initial_Punctuation", "Pi"},
		{"Final_Punctuation", "Pf"},
		{"Other_Punctuation", "Po"},
		{"Symbol", "S"},
		{"Math_Symbol", "Sm"},
		{"Currency_Symbol", "Sc"},
		{"Modifier_Symbol", "Sk"},
		{"Other_Symbol", "So"},
		{"Separator", "Z"},
		{"Space_Separator", "Zs"},
		{"Line_Separator", "Zl"},
		{"Paragraph_Separator", "Zp"},
		{"Other", "C"},
		{"Control", "Cc"},
		{"cntrl", "Cc"},
		{"Format", "Cf"},
		{"Surrogate", "Cs"},
		{"Private_Use", "Co"},
		{"Unassigned", "Cn"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (strcmp(names[i][0], name) == 0)
			return names[i][1];
	return name;
}

/* After "\p" or "\P". PCRE2 knows which names exist. */
static void put_property(struct translator *t, int letter)
{
	char name[64];
	size_t length = 0;
	char *value;

	if (peek(t, 0) != '{') {
		refuse(t, "\\p needs a name in braces");
		return;
	}
	for (t->at++; peek(t, 0) > 0 && peek(t, 0) != '}'; t->at++) {
		int c = peek(t, 0);
		bool is_good = (c >= '0' && c <= '9') ||
			       ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '=';

		if (!is_good || length + 1 >= sizeof(name)) {
			refuse(t, "\\p names no property");
			return;
		}
		name[length++] = (char)c;
	}
	name[length] = '\0';
	t->at++;
	value = strchr(name, '=');
	if (value != NULL)
		*value++ = '\0';
	if (value == NULL && strcmp(name, "Assigned") == 0)
		buf_printf(t->out, "\\%c{Cn}", letter == 'p' ? 'P' : 'p');
	else if (value == NULL)
		buf_printf(t->out, "\\%c{%s}", letter, category(name));
	else if (strcmp(name, "General_Category") == 0 || strcmp(name, "gc") == 0)
		buf_printf(t->out, "\\%c{%s}", letter, category(value));
	else if (strcmp(name, "Script") == 0 || strcmp(name, "sc") == 0)
		buf_printf(t->out, "\\%c{sc:%s}", letter, value);
	else if (strcmp(name, "Script_Extensions") == 0 || strcmp(name, "scx") == 0)
		buf_printf(t->out, "\\%c{scx:%s}", letter, value);
	else
		refuse(t, "\\p names no property");
}

/* Writes an escape that stands for many characters; false: `c` begins none. */
static bool put_set(struct translator *t, int c, bool is_in_class)
{
	switch (c) {
	case 'd':
	case 'D':
	case 'w':
	case 'W': /* ASCII in both languages, as long as PCRE2_UCP is off */
		buf_printf(t->out, "\\%c", c);
		return true;
	case 's':
		buf_add_str(t->out, is_in_class ? SPACES : "[" SPACES "]");
		return true;
	case 'S':
		buf_add_str(t->out, is_in_class ? NO_SPACES : "[" NO_SPACES "]");
		return true;
	case 'p':
	case 'P':
		put_property(t, c);
		return true;
	default:
		return false;
	}
}

/* --- classes ----------------------------------------------------------------------------- */

static uint32_t take_plain(struct translator *t)
{
	const unsigned char *at = (const unsigned char *)t->text + t->at;
	size_t step = utf8_sequence(at, t->length - t->at);
	uint32_t value;

	if (step == 0) {
		refuse(t, "not UTF-8");
		t->at++;
		return 0;
	}
	t->at += step;
	if (step == 1)
		return at[0];
	value = at[0] & (0x7Fu >> step);
	for (size_t i = 1; i < step; i++)
		value = value << 6 | (at[i] & 0x3F);
	return value;
}

/* One member of a class; a set is written at once. */
static uint32_t take_member(struct translator *t)
{
	int c;

	if (peek(t, 0) != '\\')
		return take_plain(t);
	c = peek(t, 1);
	t->at += c < 0 ? 1 : 2;
	if (put_set(t, c, true))
		return IS_SET;
	return c == 'b' ? '\b' : character_escape(t, c);
}

static bool is_surrogate(uint32_t value)
{
	return value >= 0xD800 && value <= 0xDFFF;
}

/* Text is UTF-8, so a lone surrogate matches nothing: ranges are cut around them. */
static void put_range(struct translator *t, uint32_t low, uint32_t high)
{
	if (low > high)
		refuse(t, "a range of a class runs backwards");
	low = is_surrogate(low) ? 0xE000 : low;
	high = is_surrogate(high) ? 0xD7FF : high;
	if (low > high)
		return;
	put_character(t, low);
	if (low == high)
		return;
	buf_add_char(t->out, '-');
	put_character(t, high);
}

static void put_members(struct translator *t)
{
	while (t->fault == NULL && peek(t, 0) != ']') {
		uint32_t low;
		uint32_t high;

		if (peek(t, 0) < 0) {
			refuse(t, "a class is not closed");
			return;
		}
		low = take_member(t);
		if (peek(t, 0) != '-' || peek(t, 1) == ']' || peek(t, 1) < 0) {
			if (low != IS_SET)
				put_range(t, low, low);
			continue;
		}
		t->at++;
		high = take_member(t);
		if (low != IS_SET && high != IS_SET) {
			put_range(t, low, high);
			continue;
		}
		/* A set has no ends: the hyphen means itself. */
		put_character(t, '-');
		if (low != IS_SET)
			put_range(t, low, low);
		if (high != IS_SET)
			put_range(t, high, high);
	}
	t->at++;
}

static void put_class(struct translator *t)
{
	bool is_negated = peek(t, 1) == '^';
	size_t start = t->out->length;
	size_t opened;

	t->at += is_negated ? 2 : 1;
	buf_add_str(t->out, is_negated ? "[^" : "[");
	opened = t->out->length;
	put_members(t);
	if (t->out->length > opened || t->out->has_failed) {
		buf_add_char(t->out, ']');
		return;
	}
	t->out->length = start;
	buf_add_str(t->out, is_negated ? "[\\x{0}-\\x{10ffff}]" : "(?!)");
}

/* --- groups, repeats, references --------------------------------------------------------- */

/* "(?<name>" at `at`: the name's length, 0 when it is no name. */
static size_t name_length(const struct translator *t, size_t at)
{
	size_t start = at;

	while (at < t->length && t->text[at] != '>' && t->text[at] != ')')
		at++;
	return at < t->length && t->text[at] == '>' ? at - start : 0;
}

/* The number of the group called `name`, 0 when there is none; NULL: how many groups there
 * are. */
static unsigned find_groups(const struct translator *t, const char *name, size_t length)
{
	unsigned count = 0;
	bool is_class = false;

	for (size_t i = 0; i < t->length; i++) {
		bool is_named;

		if (t->text[i] == '\\')
			i++;
		else if (is_class)
			is_class = t->text[i] != ']';
		else if (t->text[i] == '[')
			is_class = true;
		else if (t->text[i] == '(') {
			is_named = i + 3 < t->length && t->text[i + 1] == '?' &&
				   t->text[i + 2] == '<' && t->text[i + 3] != '=' &&
				   t->text[i + 3] != '!';
			if (!is_named && i + 1 < t->length && t->text[i + 1] == '?')
				continue;
			count++;
			if (is_named && name != NULL && name_length(t, i + 3) == length &&
			    memcmp(t->text + i + 3, name, length) == 0)
				return count;
		}
	}
	return name == NULL ? count : 0;
}

static void open_group(struct translator *t)
{
	static const char *const plain[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!"};

	t->open++;
	t->is_repeatable = false;
	for (size_t i = 0; i < ARRAY_COUNT(plain); i++)
		if (take_text(t, plain[i])) {
			buf_add_str(t->out, plain[i]);
			return;
		}
	/* Names are turned into numbers: PCRE2 has its own rules for names. */
	if (take_text(t, "(?<")) {
		size_t length = name_length(t, t->at);

		if (length == 0)
			refuse(t, "a group's name is empty or not closed");
		t->at += length + 1;
	} else if (take_text(t, "(?"))
		refuse(t, "a group that ECMA-262 does not know");
	else
		t->at++;
	buf_add_char(t->out, '(');
}

static void close_group(struct translator *t)
{
	if (t->open == 0)
		refuse(t, "a group is closed that was not opened");
	t->open--;
	t->at++;
	buf_add_char(t->out, ')');
	t->is_repeatable = true;
}

static void put_reference(struct translator *t, unsigned number)
{
	if (number == 0 || number > t->groups)
		refuse(t, "a reference to a group that is not there");
	buf_printf(t->out, "\\g{%u}", number);
}

static void named_reference(struct translator *t)
{
	size_t length = peek(t, 0) == '<' ? name_length(t, t->at + 1) : 0;

	if (length == 0) {
		refuse(t, "\\k needs a name");
		return;
	}
	put_reference(t, find_groups(t, t->text + t->at + 1, length));
	t->at += length + 2;
}

static void put_escape(struct translator *t)
{
	int c = peek(t, 1);
	unsigned number = 0;

	t->at += c < 0 ? 1 : 2;
	t->is_repeatable = true;
	if (c == 'b' || c == 'B') {
		buf_printf(t->out, "\\%c", c);
		t->is_repeatable = false;
		return;
	}
	if (put_set(t, c, false))
		return;
	if (c == 'k') {
		named_reference(t);
		return;
	}
	if (c >= '1' && c <= '9') {
		number = (unsigned)(c - '0');
		for (; peek(t, 0) >= '0' && peek(t, 0) <= '9' && number <= GROUPS_MAX; t->at++)
			number = number * 10 + (unsigned)(peek(t, 0) - '0');
		put_reference(t, number);
		return;
	}
	number = character_escape(t, c);
	if (is_surrogate(number))
		buf_add_str(t->out, "(?!)");
	else
		put_character(t, number);
}

static bool take_number(struct translator *t, unsigned *ret)
{
	size_t start = t->at;

	*ret = 0;
	for (; peek(t, 0) >= '0' && peek(t, 0) <= '9'; t->at++)
		if (*ret < 1000000)
			*ret = *ret * 10 + (unsigned)(peek(t, 0) - '0');
	return t->at > start;
}

/* "{2}", "{2,}" or "{2,3}"; false leaves everything as it was. */
static bool take_counts(struct translator *t)
{
	size_t start = t->at++;
	unsigned least = 0;
	unsigned most = 0;
	bool is_good = take_number(t, &least);

	if (is_good && peek(t, 0) == ',') {
		t->at++;
		if (take_number(t, &most) && most < least)
			refuse(t, "a repeat runs backwards");
	}
	if (!is_good || peek(t, 0) != '}') {
		t->at = start;
		return false;
	}
	t->at++;
	buf_add(t->out, t->text + start, t->at - start);
	return true;
}

static void put_repeat(struct translator *t)
{
	if (!t->is_repeatable)
		refuse(t, "nothing stands before a repeat");
	buf_add_char(t->out, t->text[t->at++]);
	if (peek(t, 0) == '?')
		buf_add_char(t->out, t->text[t->at++]);
	t->is_repeatable = false;
}

static void put_literal(struct translator *t)
{
	put_character(t, take_plain(t));
	t->is_repeatable = true;
}

static void put_counted(struct translator *t)
{
	if (!take_counts(t)) {
		put_literal(t);
		return;
	}
	if (!t->is_repeatable)
		refuse(t, "nothing stands before a repeat");
	if (peek(t, 0) == '?')
		buf_add_char(t->out, t->text[t->at++]);
	t->is_repeatable = false;
}

static void put_next(struct translator *t)
{
	switch (peek(t, 0)) {
	case '\\':
		put_escape(t);
		return;
	case '[':
		put_class(t);
		t->is_repeatable = true;
		return;
	case '(':
		open_group(t);
		return;
	case ')':
		close_group(t);
		return;
	case '*':
	case '+':
	case '?':
		put_repeat(t);
		return;
	case '{':
		put_counted(t);
		return;
	case '.':
		buf_add_str(t->out, "[^\\n\\r\\x{2028}\\x{2029}]");
		t->at++;
		t->is_repeatable = true;
		return;
	case '^':
	case '$':
	case '|':
		buf_add_char(t->out, t->text[t->at++]);
		t->is_repeatable = false;
		return;
	default:
		put_literal(t);
	}
}

const char *schema_pattern_translate(const char *text, size_t length, struct buf *ret)
{
	struct translator t = {.text = text, .length = length, .out = ret};

	t.groups = find_groups(&t, NULL, 0);
	if (t.groups > GROUPS_MAX)
		refuse(&t, "too many groups");
	while (t.at < t.length && t.fault == NULL)
		put_next(&t);
	if (t.fault == NULL && t.open > 0)
		refuse(&t, "a group is not closed");
	return t.fault;
}
