#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/own.h"
#include "schema/status.h"
#include "server/gate/endpoint.h"

TestSuite(endpoint, .timeout = 10);

static enum endpoint_action find(const char *path, enum listener listener)
{
	struct text id;
	struct text file;

	return endpoint_find((struct text){path, strlen(path)}, listener, &id, &file);
}

Test(endpoint, paths_are_exact)
{
	struct text id;
	struct text file;

	cr_assert(eq(int, (int)find("/v1/executions", LISTENER_MAIN), ENDPOINT_EXECUTE));
	cr_assert(eq(int, (int)find("/v1/validations", LISTENER_MAIN), ENDPOINT_VALIDATE));
	cr_assert(eq(int, (int)find("/v1/validations", LISTENER_OPERATIONS), ENDPOINT_NONE));
	cr_assert(eq(int, (int)find("/v1/validations/", LISTENER_MAIN), ENDPOINT_NONE));
	cr_assert(eq(int, (int)find("/livez", LISTENER_OPERATIONS), ENDPOINT_LIVEZ));
	cr_assert(eq(int, (int)find("/v1/runtimes", LISTENER_OPERATIONS), ENDPOINT_NONE));
	cr_assert(eq(int, (int)find("/livez/", LISTENER_MAIN), ENDPOINT_NONE));
	cr_assert(eq(int, (int)find("/v1/executions/{id}", LISTENER_MAIN), ENDPOINT_NONE));
	cr_assert(eq(int, (int)find("none", LISTENER_MAIN), ENDPOINT_NONE));
	cr_assert(eq(int,
		     (int)endpoint_find(TEXT("/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0AB"),
					LISTENER_MAIN, &id, &file),
		     ENDPOINT_EXECUTION));
	cr_assert(text_is(id, "01JD9Z5WJ8Q6H6T5V3R2M1K0AB"));
	cr_assert(eq(
		int,
		(int)endpoint_find(TEXT("/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0AB/files/a/b"),
				   LISTENER_MAIN, &id, &file),
		ENDPOINT_FILE));
	cr_assert(text_is(file, "a/b"));
}

Test(endpoint, only_ulids_are_ids)
{
	static const char *const bad[] = {
		"/v1/executions/81JD9Z5WJ8Q6H6T5V3R2M1K0AB",
		"/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0A",
		"/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0ABC",
		"/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0AI",
		"/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0AL",
		"/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0AU",
		"/v1/executions/01jd9z5wj8q6h6t5v3r2m1k0ab",
		"/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0A/",
		"/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0AB/",
		"/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0AB/files",
		"/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0AB/files/",
		"/v1/executions/01JD9Z5WJ8Q6H6T5V3R2M1K0AB/file/a",
		"/v1/executions/81JD9Z5WJ8Q6H6T5V3R2M1K0AB/files/a",
	};

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		cr_assert(eq(int, (int)find(bad[i], LISTENER_MAIN), ENDPOINT_NONE), "%s",
			  bad[i]);
}

Test(endpoint, the_first_thing_to_fix_is_named_first)
{
	struct endpoint_fault fault = {0};
	struct head head = {.method = HTTP_POST, .content_length = 10};

	cr_assert(not(endpoint_check(ENDPOINT_NONE, &head, 5, &fault)));
	cr_assert(eq(int, fault.problem, PROBLEM_NOT_FOUND));
	cr_assert(not(endpoint_check(ENDPOINT_LIVEZ, &head, 5, &fault)));
	cr_assert(eq(int, fault.problem, PROBLEM_METHOD_NOT_ALLOWED));
	cr_assert(not(endpoint_check(ENDPOINT_EXECUTE, &head, 5, &fault)));
	cr_assert(eq(int, fault.problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE));
	head.content_type = TEXT("application/json");
	cr_assert(not(endpoint_check(ENDPOINT_EXECUTE, &head, 5, &fault)));
	cr_assert(eq(int, fault.problem, PROBLEM_BODY_TOO_LARGE));
	cr_assert(endpoint_check(ENDPOINT_EXECUTE, &head, 10, &fault));
	head.method = HTTP_UNKNOWN;
	cr_assert(not(endpoint_check(ENDPOINT_EXECUTE, &head, 10, &fault)));
	cr_assert(eq(int, fault.problem, PROBLEM_NOT_IMPLEMENTED));
}
