/*
 * tests/fuzz/fuzz_schema_pattern.c - a pattern, a line's end, a text. What the translation lets
 * through is what PCRE2 takes or refuses with a reason; a match ends within its work.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "validator/schema_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *middle = memchr(text, '\n', size);
	size_t length = middle != NULL ? (size_t)(middle - text) : size;
	struct schema_pattern *pattern = NULL;
	uint64_t work = 1000000;
	struct pattern_run run = {.work = &work};
	struct err err = {0};

	if (!utf8_is_valid(text, size))
		return 0;
	if (schema_pattern_new(text, length, &pattern, &err) < 0) {
		assert(err.text[0] != '\0');
		return 0;
	}
	if (middle != NULL)
		(void)schema_pattern_match(pattern, middle + 1, size - length - 1, &run);
	pattern_run_done(&run);
	schema_pattern_free(pattern);
	return 0;
}
