/*
 * tests/fuzz/fuzz_report.c - a worker's report. Whatever it says, the answer's members stay
 * JSON with an error or none.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "schema/bundle.h"
#include "tests/fuzz/schemas.h"
#include "validator/json_guard.h"
#include "validator/outcome.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome_writer writer;
	static const struct check_outcome ask = {.status = STATUS_FAILED, .exit_code = 1};
	static struct faults faults;
	own_json *value = NULL;
	own_buf bundle;
	own_buf members;
	struct span span;
	int status;

	if (writer.faults == NULL) {
		status = outcome_writer_init(&writer, fuzz_schema(CATALOG_REPORT), NULL);
		assert(status == 0);
	}
	buf_init(&bundle, LIMIT_OUTCOME_BYTES);
	buf_init(&members, LIMIT_FRAGMENT_BYTES);
	bundle_add(&bundle, BUNDLE_REPORT, NULL, 0, data, size);
	span = (struct span){.data = bundle.data, .length = bundle.length};
	buf_add_char(&members, '{');
	status = outcome_write(&writer, &ask, &span, &members, NULL);
	assert(status == 0);
	buf_add_char(&members, '}');
	status = json_guard_parse(members.data, members.length, &value, &faults);
	assert(status == 0 && json_object_size(value) == 12);
	return 0;
}
