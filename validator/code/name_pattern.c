/* The patterns that rules and policies write for names. */
#include <string.h>

#include "validator/code/names.h"

static bool has_label_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name);
	size_t wanted = strlen(suffix);

	return length > wanted && strcmp(name + length - wanted, suffix) == 0;
}

/* ".b." somewhere inside, at a boundary of labels. */
static bool has_label_inside(const char *name, const char *inside, size_t length)
{
	for (const char *at = strchr(name, '.'); at != NULL; at = strchr(at + 1, '.'))
		if (strncmp(at, inside, length) == 0 && at[length] == '.')
			return true;
	return false;
}

bool code_name_matches(const char *name, const char *pattern)
{
	size_t length = strlen(pattern);
	bool is_open = length > 2 && strcmp(pattern + length - 2, ".*") == 0;

	if (pattern[0] == '?' && pattern[1] == '.')
		return name[0] == '?' && has_label_suffix(name, pattern + 1);
	if (pattern[0] == '*' && pattern[1] == '.')
		return is_open ? has_label_inside(name, pattern + 1, length - 3)
			       : has_label_suffix(name, pattern + 1);
	if (is_open)
		return strncmp(name, pattern, length - 1) == 0 && name[length - 1] != '\0';
	return strcmp(name, pattern) == 0;
}

bool code_names_match(struct code *code, const struct code_names *names, const char *pattern)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (code_name_matches(code_string(code, names->ids[i]), pattern))
			return true;
	return false;
}
