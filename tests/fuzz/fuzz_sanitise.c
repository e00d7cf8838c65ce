/*
 * tests/fuzz/fuzz_sanitise.c - a request between its schema and everything that reads it. What
 * is said of it is JSON within its bound, no member is lost or made, and doing it twice changes
 * nothing the second time.
 */
#include <assert.h>
#include <stdint.h>

#include "tests/fuzz/schemas.h"
#include "validator/json_guard.h"
#include "validator/sanitise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_json(const struct sanitised *sanitised)
{
	own_buf text;
	own_json *value = NULL;
	struct jsonw json;

	buf_init(&text, LIMIT_SANITISED_BYTES);
	jsonw_init(&json, &text);
	jsonw_object_open(&json);
	sanitised_write(&json, sanitised);
	jsonw_object_close(&json);
	assert(buf_check(&text, NULL) == 0);
	value = json_loadb(text.data, text.length, 0, NULL);
	assert(value != NULL);
	assert(json_array_size(json_object_get(value, "sanitised")) <= LIMIT_SANITISED + 1);
}

static void check(json_t *document, bool is_read)
{
	own_sanitised first = {.count = 0};
	own_sanitised again = {.count = 0};
	own_json *once = NULL;
	size_t members = json_object_size(document);
	size_t files = json_array_size(json_object_get(document, "files"));
	int status = sanitise(document, is_read, &first, NULL);

	assert(status == 0);
	assert(json_object_size(document) == members);
	assert(json_array_size(json_object_get(document, "files")) == files);
	expect_json(&first);
	once = json_deep_copy(document);
	status = sanitise(document, is_read, &again, NULL);
	assert(status == 0 && json_equal(once, document));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct faults faults;
	own_json *document = NULL;
	const struct schema *schema = fuzz_schema(CATALOG_REQUEST);

	if (json_guard_parse((const char *)data, size, &document, &faults) != 0)
		return 0;
	if (schema_judge(schema, document, NULL) == SCHEMA_VALID)
		check(document, size % 2 == 0);
	return 0;
}
