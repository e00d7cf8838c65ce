#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "schema/status.h"
#include "schema/wire/front_gate.h"

TestSuite(status, .timeout = 10);

Test(status, every_number_has_a_name)
{
	for (int status = STATUS_NONE + 1; status <= STATUS_MAX; status++)
		cr_assert(ne(str, (char *)(uintptr_t)status_name((uint8_t)status), "unknown"));
	for (unsigned layer = 0; layer < LAYER_COUNT; layer++)
		cr_assert(gt(sz, strlen(layer_name(layer)), 0));
	for (int refusal = 1; refusal <= TLS_REFUSAL_MAX; refusal++)
		cr_assert(gt(sz, strlen(tls_refusal_name((uint8_t)refusal)), 0));
}

Test(status, numbers_outside_are_harmless)
{
	cr_assert(ne(ptr, (void *)(uintptr_t)status_name(255), NULL));
	cr_assert(ne(ptr, (void *)(uintptr_t)problem_code(255), NULL));
	cr_assert(ne(ptr, (void *)(uintptr_t)problem_title(255), NULL));
	cr_assert(ge(uint, problem_http(255), 400));
	cr_assert(ne(ptr, (void *)(uintptr_t)tls_refusal_name(255), NULL));
}

Test(status, a_level_is_told_from_its_layers)
{
	for (unsigned level = 0; level < LEVEL_COUNT; level++)
		cr_assert(eq(uint, level_of_layers(level_layers(level)), level));
	cr_assert(eq(uint, level_of_layers(0), LEVEL_COUNT));
	cr_assert(eq(str, (char *)(uintptr_t)level_name(LEVEL_COUNT), "none"));
	cr_assert(eq(uint, level_layers(LEVEL_COUNT), 0));
}

Test(status, a_layer_more_is_never_a_promise_less)
{
	uint32_t bare = level_layers(LEVEL_LANDLOCK) & ~LAYERS_ON_DEMAND;
	unsigned count = 0;

	cr_assert(eq(ptr, (void *)(uintptr_t)gap_name(LAYER_ALL, 0), NULL));
	while (gap_name(bare, count) != NULL)
		count++;
	cr_assert(eq(uint, count, 11));
	for (unsigned layer = 0; layer < LAYER_COUNT; layer++) {
		unsigned fewer = 0;

		while (gap_name(bare | 1u << layer, fewer) != NULL)
			fewer++;
		cr_assert(le(uint, fewer, count));
	}
}

Test(status, problems_are_client_or_server_errors)
{
	for (int problem = 1; problem <= PROBLEM_MAX; problem++) {
		cr_assert(ge(uint, problem_http((uint8_t)problem), 400));
		cr_assert(lt(uint, problem_http((uint8_t)problem), 600));
	}
}
