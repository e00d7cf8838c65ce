#include "validator/code/pattern.h"

#include <ctype.h>
#include <string.h>

#define SHAPE_BYTES_MAX 16384

static void skip_blank(const char **at)
{
	for (;;) {
		while (isspace((unsigned char)**at))
			(*at)++;
		if (**at != ';')
			return;
		*at += strcspn(*at, "\n"); /* a comment */
	}
}

static size_t word_length(const char *at)
{
	size_t length = 0;

	while (isalnum((unsigned char)at[length]) ||
	       (at[length] != '\0' && strchr("_-.?!#/", at[length]) != NULL))
		length++;
	return length;
}

static size_t string_length(const char *at)
{
	size_t length = 1;

	while (at[length] != '\0' && at[length] != '"')
		length += at[length] == '\\' && at[length + 1] != '\0' ? 2 : 1;
	return at[length] == '"' ? length + 1 : 0;
}

static uint32_t capture_number(struct pattern *pattern, const char *name, size_t length)
{
	for (uint32_t i = 0; i < pattern->capture_count; i++)
		if (strlen(pattern->captures[i]) == length &&
		    memcmp(pattern->captures[i], name, length) == 0)
			return i;
	if (pattern->capture_count == RULE_CAPTURES_MAX)
		return UINT32_MAX;
	pattern->captures[pattern->capture_count] = strndup(name, length);
	return pattern->captures[pattern->capture_count] == NULL ? UINT32_MAX
								 : pattern->capture_count++;
}

/* A query's string: \" and \\ and \n are escapes, any other backslash is one of a regular
 * expression and stays. */
static char *unquote(const char *at, size_t length)
{
	char *text = malloc(length);
	size_t used = 0;

	for (size_t i = 1; text != NULL && i + 1 < length; i++) {
		if (at[i] == '\\' && (at[i + 1] == '"' || at[i + 1] == '\\'))
			i++;
		text[used++] = at[i];
	}
	if (text != NULL)
		text[used] = '\0';
	return text;
}

static int read_argument(struct pattern *pattern, struct predicate_text *predicate,
			 const char **at, struct err *err)
{
	size_t length;
	const char *word = *at;

	if (*word == '@') {
		uint32_t number;

		length = word_length(word + 1);
		number = capture_number(pattern, word + 1, length);
		if (number == UINT32_MAX || predicate->other != UINT32_MAX)
			return err_set(err, EINVAL, "a predicate has too many captures");
		if (predicate->capture == UINT32_MAX)
			predicate->capture = number;
		else
			predicate->other = number;
		*at += length + 1;
		return 0;
	}
	length = *word == '"' ? string_length(word) : word_length(word);
	if (length == 0 || predicate->argument_count == PREDICATE_ARGUMENTS_MAX)
		return err_set(err, EINVAL, "a predicate cannot be read at '%.20s'", word);
	predicate->arguments[predicate->argument_count] =
		*word == '"' ? unquote(word, length) : strndup(word, length);
	if (predicate->arguments[predicate->argument_count] == NULL)
		return err_set(err, ENOMEM, "memory for a predicate");
	predicate->argument_count++;
	*at += length;
	return 0;
}

/* At "(#". */
static int read_predicate(struct pattern *pattern, const char **at, struct err *err)
{
	struct predicate_text *predicate = &pattern->predicates[pattern->predicate_count];
	size_t length;
	int status = 0;

	if (pattern->predicate_count == ARRAY_COUNT(pattern->predicates))
		return err_set(err, EINVAL, "more than %zu predicates",
			       ARRAY_COUNT(pattern->predicates));
	*predicate = (struct predicate_text){.capture = UINT32_MAX, .other = UINT32_MAX};
	pattern->predicate_count++;
	*at += 2;
	predicate->is_negated = strncmp(*at, "not-", 4) == 0;
	if (predicate->is_negated)
		*at += 4;
	length = word_length(*at);
	predicate->name = *at;
	predicate->name_length = length > 0 && (*at)[length - 1] == '?' ? length - 1 : length;
	*at += length;
	for (skip_blank(at); status == 0 && **at != ')'; skip_blank(at)) {
		if (**at == '\0')
			return err_set(err, EINVAL, "a predicate does not end");
		status = read_argument(pattern, predicate, at, err);
	}
	if (status == 0)
		(*at)++;
	if (status == 0 && predicate->capture == UINT32_MAX)
		return err_set(err, EINVAL, "a predicate has no capture");
	return status;
}

static int read_capture(struct pattern *pattern, const char **at, struct err *err)
{
	size_t length = word_length(*at + 1);
	uint32_t number = capture_number(pattern, *at + 1, length);

	if (length == 0 || number == UINT32_MAX)
		return err_set(err, EINVAL, "a bad capture at '%.20s'", *at);
	buf_printf(&pattern->shape, " @c%u", number);
	*at += length + 1;
	return 0;
}

/* Text of one token other than captures and predicates. */
static int copy_token(struct pattern *pattern, const char **at, struct err *err)
{
	size_t length = 1;

	if (**at == '"')
		length = string_length(*at);
	else if (isalnum((unsigned char)**at) || **at == '_')
		length = word_length(*at);
	else if (**at == '!') /* !field */
		length = 1 + word_length(*at + 1);
	if (length == 0)
		return err_set(err, EINVAL, "a string does not end");
	/* Between words only, so that "name:" and "(x)*" keep their form. */
	if (pattern->shape.length > 0 && strchr("):*+?]", **at) == NULL)
		buf_add_char(&pattern->shape, ' ');
	buf_add(&pattern->shape, *at, length);
	*at += length;
	return 0;
}

static int read_one(struct pattern *pattern, const char **at, bool *goes_on, int *depth,
		    struct err *err)
{
	char c = **at;

	if (c == '\0') {
		*goes_on = false;
		return *depth == 0 ? 0 : err_set(err, EINVAL, "a parenthesis is not closed");
	}
	if (c == '(' && (*at)[1] == '#')
		return read_predicate(pattern, at, err);
	/* A second pattern begins. */
	if (*depth == 0 && pattern->shape.length > 0 && (c == '(' || c == '[' || c == '"')) {
		*goes_on = false;
		return 0;
	}
	if (c == '@')
		return read_capture(pattern, at, err);
	*depth += (c == '(' || c == '[') - (c == ')' || c == ']');
	if (*depth < 0)
		return err_set(err, EINVAL, "a parenthesis too many");
	return copy_token(pattern, at, err);
}

int pattern_read(const char **text, struct pattern *ret, struct err *err)
{
	bool goes_on = true;
	int depth = 0;
	int status = 0;

	*ret = (struct pattern){.capture_count = 0};
	buf_init(&ret->shape, SHAPE_BYTES_MAX);
	for (skip_blank(text); goes_on && status == 0; skip_blank(text))
		status = read_one(ret, text, &goes_on, &depth, err);
	if (status == 0)
		status = buf_check(&ret->shape, err);
	/* Predicates alone are no pattern, but own something. */
	if (status < 0 || ret->shape.length == 0) {
		pattern_done(ret);
		return status;
	}
	return 1;
}

void pattern_done(struct pattern *pattern)
{
	for (uint32_t i = 0; i < pattern->capture_count; i++)
		free(pattern->captures[i]);
	for (size_t i = 0; i < pattern->predicate_count; i++)
		for (size_t k = 0; k < pattern->predicates[i].argument_count; k++)
			free(pattern->predicates[i].arguments[k]);
	buf_done(&pattern->shape);
	*pattern = (struct pattern){.capture_count = 0};
}
