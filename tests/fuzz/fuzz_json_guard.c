/*
 * tests/fuzz/fuzz_json_guard.c - the JSON guard on arbitrary bytes. What it accepts a second
 * parser must accept too, with the same value; what it refuses has one placed fault.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "validator/json_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct faults faults;
	own_json *ours = NULL;
	own_json *theirs = NULL;

	if (json_guard_parse((const char *)data, size, &ours, &faults) != 0) {
		const struct fault *fault = &faults.list[0];

		assert(faults.count == 1 && ours == NULL);
		assert(fault->line > 0 && fault->column > 0 && fault->offset <= size);
		assert(utf8_is_valid(fault->pointer, strlen(fault->pointer)));
		assert(utf8_is_valid(fault->detail, strlen(fault->detail)));
		return 0;
	}
	theirs = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
			    NULL);
	assert(theirs != NULL && json_equal(ours, theirs) == 1);
	return 0;
}
