/*
 * tests/fuzz/fuzz_bundle.c - a whole outcome bundle, with the facts beside it taken from the
 * first bytes. The answer's members are always JSON.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "tests/fuzz/schemas.h"
#include "validator/outcome.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FACTS 4

static void check(const uint8_t *data, size_t size)
{
	static struct outcome_writer writer;
	struct check_outcome ask = {.wall_ms = 1};
	own_buf members;
	struct span span;
	json_t *value;
	int status;

	if (writer.faults == NULL) {
		status = outcome_writer_init(&writer, fuzz_schema(CATALOG_REPORT), NULL);
		assert(status == 0);
	}
	ask.status = (uint8_t)(1 + data[0] % STATUS_MAX);
	ask.limit_hit = data[1] % (LIMIT_HIT_MAX + 1);
	ask.signal = data[2] % 65;
	ask.stdout_truncated = data[3] & 1;
	ask.stderr_truncated = data[3] >> 1 & 1;
	span = (struct span){.data = (const char *)data + FACTS, .length = size - FACTS};
	buf_init(&members, LIMIT_FRAGMENT_BYTES);
	buf_add_char(&members, '{');
	status = outcome_write(&writer, &ask, &span, &members, NULL);
	assert(status == 0);
	buf_add_char(&members, '}');
	/* Not the guard: streams may hold NUL, which JSON can say and requests may not. */
	value = json_loadb(members.data, members.length,
			   JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	assert(value != NULL && json_object_size(value) == 12);
	json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= FACTS)
		check(data, size);
	return 0;
}
