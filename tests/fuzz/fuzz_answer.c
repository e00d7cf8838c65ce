/*
 * tests/fuzz/fuzz_answer.c - what a program that was started ahead says at its end, in pieces:
 * the first byte says of what size. A report and a status are never outside of what came.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "sandbox/runtimes/launch/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct answer *answer)
{
	size_t length = 0;
	const char *report = answer_report(answer, &length);

	assert(answer->length <= sizeof(answer->bytes));
	assert(answer_status(answer) >= -1 && answer_status(answer) <= 255);
	assert(report != NULL || answer_status(answer) == -1);
	if (report != NULL)
		assert(length > 0 && length <= LIMIT_REPORT_BYTES &&
		       report + length <= answer->bytes + answer->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer answer = {.length = 0};
	size_t piece = size > 0 ? (size_t)data[0] * 16 + 1 : 1;
	size_t at = 1;

	while (answer_room(&answer) > 0) {
		size_t got = at < size ? size - at : 0;

		got = got < piece ? got : piece;
		got = got < answer_room(&answer) ? got : answer_room(&answer);
		if (got > 0)
			memcpy(answer.bytes + answer.length, data + at, got);
		at += got;
		answer_took(&answer, got);
		check(&answer);
	}
	assert(answer.is_over);
	return 0;
}
