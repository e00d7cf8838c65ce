/*
 * tests/fuzz/fuzz_schema_check.c - a schema, a line's end, an instance. Every verdict is told:
 * an invalid instance has errors, an undecided one a reason, and all output formats are JSON.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "validator/json_guard.h"
#include "validator/schema_faults.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORK 1000000 /* less than by default: a sanitized step takes ten times as long */

static void check_output(const struct schema_report *report, enum schema_verdict verdict)
{
	for (unsigned i = 0; i < 3; i++) {
		own_buf text;
		own_json *document = NULL;

		buf_init(&text, (size_t)64 << 20);
		schema_report_write(report, verdict, (enum schema_output)i, &text);
		document = json_loadb(text.data, text.length, JSON_ALLOW_NUL, NULL);
		assert(document != NULL && json_is_true(json_object_get(document, "valid")) ==
						   (verdict == SCHEMA_VALID));
	}
}

static void check_told(const struct schema_report *report, enum schema_verdict verdict)
{
	assert(verdict != SCHEMA_VALID || report->error_count == 0);
	assert(verdict != SCHEMA_INVALID || report->error_count > 0 || report->has_more);
	assert(verdict != SCHEMA_UNDECIDED || report->reason != NULL);
	for (size_t i = 0; i < report->error_count; i++) {
		const struct schema_error *error = &report->errors[i];

		assert(utf8_is_valid(error->text, strlen(error->text)));
		assert(utf8_is_valid(error->hint, strlen(error->hint)));
		assert(error->parent == SCHEMA_NO_PARENT || error->parent < i);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	const char *text = (const char *)data;
	const char *middle = memchr(text, '\n', size);
	size_t length = middle != NULL ? (size_t)(middle - text) : size;
	own_json *document = json_loadb(text, length, flags, NULL);
	own_json *instance = NULL;
	own_schema *schema = NULL;
	own_schema_report report = {.errors = NULL};
	enum schema_verdict verdict;

	if (middle != NULL)
		instance = json_loadb(middle + 1, size - length - 1, flags, NULL);
	if (document == NULL || instance == NULL ||
	    schema_compile(document, SCHEMA_FORMATS, &schema, NULL) < 0)
		return 0;
	schema_report_init(&report);
	report.work_max = WORK;
	report.wants_notes = size % 2 != 0;
	verdict = schema_judge(schema, instance, &report);
	check_told(&report, verdict);
	check_output(&report, verdict);
	return 0;
}
