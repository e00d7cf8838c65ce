#include "sandbox/policy/conditions.h"

#include <stdio.h>
#include <string.h>

#define PARTS_MAX  3
#define PART_CHARS 96

/* The length up to a comma or the closing bracket on this level. */
static size_t part_length(const char *text)
{
	int depth = 0;
	size_t i = 0;

	for (; text[i] != '\0'; i++) {
		if (depth == 0 && (text[i] == ',' || text[i] == ')'))
			break;
		depth += text[i] == '(';
		depth -= text[i] == ')';
	}
	return i;
}

/* "a, b, c)" into its parts; what follows the bracket is returned. */
static const char *split(const char *text, char parts[PARTS_MAX][PART_CHARS], int *ret_count)
{
	*ret_count = 0;
	while (*ret_count < PARTS_MAX) {
		size_t length = part_length(text);

		(void)snprintf(parts[(*ret_count)++], PART_CHARS, "%.*s", (int)length, text);
		text += length;
		if (*text != ',')
			break;
		text += strspn(text, ", \t\n");
	}
	return *text == ')' ? text + 1 : text;
}

static const char *bracket(const char *text, char open)
{
	int has_operator = strpbrk(text, "|&~ ") != NULL;

	return !has_operator ? "" : open == '(' ? "(" : ")";
}

static int put(char *ret, size_t size, const char *name, char parts[PARTS_MAX][PART_CHARS])
{
	if (strncmp(name, "LONG_NOT", 8) == 0)
		return snprintf(ret, size, "arg%s != %s", parts[0], parts[1]);
	if (strncmp(name, "INT_IS", 6) == 0 || strncmp(name, "LONG_IS", 7) == 0)
		return snprintf(ret, size, "arg%s == %s", parts[0], parts[1]);
	return snprintf(ret, size, "(arg%s & %s%s%s) == %s", parts[0], bracket(parts[1], '('),
			parts[1], bracket(parts[1], ')'), parts[2]);
}

void conditions_text(const char *source, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	while (*source != '\0' && used + 8 < size) {
		const char *open = strchr(source, '(');
		char parts[PARTS_MAX][PART_CHARS] = {""};
		const char *name = source;
		int count;

		if (open == NULL)
			return;
		source = split(open + 1, parts, &count);
		source += strspn(source, ", \t\n");
		if (used > 0)
			used += (size_t)snprintf(ret + used, size - used, ", ");
		used += (size_t)put(ret + used, size - used, name, parts);
	}
}
