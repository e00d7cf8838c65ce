/*
 * tests/fuzz/fuzz_guard.c - a policy's lists on their way to a worker, from somebody who is not
 * the validator. What is taken can be asked, and written again it is the same bytes.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "schema/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct guard *guard)
{
	static const char *const names[] = {"os", "os.path.join", "", ".", "a..b", "ctypes"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		for (unsigned topic = 0; topic < GUARD_TOPICS; topic++) {
			struct guard_denial denial;
			bool is_denied = guard_denies(guard, (enum guard_topic)topic, names[i],
						      strlen(names[i]), &denial);

			assert(!is_denied || denial.policy->name_length > 0);
			assert(!is_denied || denial.entry == NULL || denial.entry->is_denied);
		}
}

static void write_again(const struct guard *guard, const uint8_t *data, size_t size)
{
	own_buf buf;

	buf_init(&buf, LIMIT_GUARD_BYTES);
	guard_encode(guard, &buf);
	assert(buf.length == size && memcmp(buf.data, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guard guard;

	if (size == 0 || guard_decode(data, size, &guard, NULL) < 0)
		return 0;
	ask(&guard);
	write_again(&guard, data, size);
	guard_done(&guard);
	return 0;
}
