#include "server/gate/text.h"

#include <string.h>

bool char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool char_is_hex(char c)
{
	return char_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool char_is_alnum(char c)
{
	return char_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool char_is_token(char c)
{
	return c != '\0' && (char_is_alnum(c) || strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static unsigned lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned)c | 0x20u : (unsigned char)c;
}

bool text_equals_caseless(struct text one, struct text two)
{
	if (one.length != two.length)
		return false;
	for (size_t i = 0; i < one.length; i++)
		if (lower(one.data[i]) != lower(two.data[i]))
			return false;
	return true;
}

bool text_is(struct text text, const char *word)
{
	return text.length == strlen(word) && memcmp(text.data, word, text.length) == 0;
}

bool text_is_caseless(struct text text, const char *word)
{
	return text_equals_caseless(text, (struct text){word, strlen(word)});
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct text text_trim(struct text text)
{
	while (text.length > 0 && is_blank(text.data[0])) {
		text.data++;
		text.length--;
	}
	while (text.length > 0 && is_blank(text.data[text.length - 1]))
		text.length--;
	return text;
}

bool text_is_token(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if (!char_is_token(text.data[i]))
			return false;
	return text.length > 0;
}

bool text_next(struct text *rest, char separator, struct text *ret)
{
	bool is_quoted = false;
	size_t at = 0;

	if (rest->length == 0)
		return false;
	for (; at < rest->length; at++) {
		char c = rest->data[at];

		if (c == '"')
			is_quoted = !is_quoted;
		else if (c == '\\' && is_quoted && at + 1 < rest->length)
			at++;
		else if (c == separator && !is_quoted)
			break;
	}
	*ret = text_trim((struct text){rest->data, at});
	if (at < rest->length)
		at++;
	*rest = (struct text){rest->data + at, rest->length - at};
	return true;
}

void text_copy(struct text text, char *ret, size_t capacity)
{
	size_t length = text.length < capacity ? text.length : capacity - 1;

	/* An absent header is NULL, which memcpy() may not be given even to copy nothing. */
	if (length > 0)
		memcpy(ret, text.data, length);
	ret[length] = '\0';
}
