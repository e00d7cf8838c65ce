/*
 * tests/fuzz/fuzz_code_needs.c - a pattern, a line's end, a text. A text that PCRE2 says
 * matches has what the pattern is said to need.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <assert.h>
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "validator/code/needs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the rules' patterns are matched. */
static bool does_match(const char *pattern, const char *text, size_t length)
{
	int status;
	PCRE2_SIZE at;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
					 PCRE2_DOTALL, &status, &at, NULL);
	pcre2_match_data *found = pcre2_match_data_create(1, NULL);
	pcre2_match_context *context = pcre2_match_context_create(NULL);

	assert(found != NULL && context != NULL);
	pcre2_set_match_limit(context, 10000);
	status = code == NULL
			 ? -1
			 : pcre2_match(code, (PCRE2_SPTR)text, length, 0, 0, found, context);
	pcre2_match_context_free(context);
	pcre2_match_data_free(found);
	pcre2_code_free(code);
	return status >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data;
	size_t before = size > 0 && memchr(line, '\n', size) != NULL
				? (size_t)((const char *)memchr(line, '\n', size) - line)
				: size;
	const char *text = line + before + (before < size);
	size_t length = (size_t)(line + size - text);
	char *pattern = strndup(line, before);
	struct needs needs;
	struct signs signs;

	assert(pattern != NULL);
	needs_read(pattern, &needs);
	signs_of(text, length, &signs);
	if (!needs_met(&needs, &signs))
		assert(!does_match(pattern, text, length));
	free(pattern);
	return 0;
}
