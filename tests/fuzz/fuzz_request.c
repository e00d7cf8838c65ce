/*
 * tests/fuzz/fuzz_request.c - request bodies. An accepted one gives a payload that its reader
 * takes apart again without a rest; a refused one has a problem, a detail and faults.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "schema/bundle.h"
#include "tests/fuzz/schemas.h"
#include "validator/json_guard.h"
#include "validator/paths.h"
#include "validator/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct check_request ask = {
	.tenant = "fuzz",
	.policy = "open",
	.wall_ms = 20000,
	.cpu_ms = 20000,
	.memory_bytes = LIMIT_MEMORY_BYTES_MAX,
	.output_bytes = LIMIT_OUTPUT_BYTES_MAX,
	.processes = 64,
	.open_files = 1024,
	.workspace_bytes = LIMIT_WORKSPACE_BYTES_MAX,
};

static void check_payload(const struct request_good *good, const struct buf *payload)
{
	struct span span = {.data = payload->data, .length = payload->length};
	struct bundle_reader reader;
	struct bundle_entry entry;
	size_t count = 0;
	int status;

	assert(good->code_offset + good->code_bytes <= payload->length);
	assert(good->wall_ms <= ask.wall_ms && good->processes <= ask.processes);
	bundle_reader_init(&reader, &span);
	while ((status = bundle_next(&reader, &entry, NULL)) > 0) {
		assert((entry.kind == BUNDLE_CODE) == (count == 0));
		assert(entry.kind <= BUNDLE_FILE);
		if (entry.kind == BUNDLE_FILE)
			assert(path_fault(entry.name, entry.name_length) == NULL);
		count++;
	}
	assert(status == 0 && count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct faults faults;
	struct request_good good;
	struct request_bad bad;
	own_json *document = NULL;
	struct err err = {0};
	own_buf payload;
	int status;

	buf_init(&payload, LIMIT_PAYLOAD_BYTES);
	status = request_read(fuzz_schema(CATALOG_REQUEST), (const char *)data, size, &document,
			      &bad, &faults, &err);
	if (status == 0)
		status = request_check(document, &ask, &good, &payload, &bad, &faults, &err);
	if (status == 0)
		check_payload(&good, &payload);
	else
		assert(status == -EBADMSG && faults.count > 0 && bad.detail[0] != '\0');
	return 0;
}
