/*
 * tests/fuzz/fuzz_schema_compile.c - schemas. What compiles judges any instance without a
 * surprise; what does not says why.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "validator/json_guard.h"
#include "validator/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Less than by default: a sanitized step takes ten times as long. */
#define WORK 1000000

static const char *const instances[] = {
	"null",
	"-1.5",
	"\"a1\"",
	"[1,[],{},\"x\",1.0]",
	"{\"a\":{\"b\":[null]},\"$ref\":\"#\"}",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	own_json *document = json_loadb((const char *)data, size, flags, NULL);
	own_schema *schema = NULL;
	struct err err = {0};
	unsigned options = size % 2 != 0 ? SCHEMA_FORMATS : 0;
	int status;

	if (document == NULL)
		return 0;
	status = schema_compile(document, options, &schema, &err);
	assert(status == 0 || (status < 0 && err.text[0] != '\0'));
	for (size_t i = 0; status == 0 && i < ARRAY_COUNT(instances); i++) {
		own_json *instance = json_loads(instances[i], flags, NULL);
		own_schema_report report;

		schema_report_init(&report);
		report.work_max = WORK;
		assert(instance != NULL);
		(void)schema_judge(schema, instance, &report);
	}
	return 0;
}
