#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "server/gate/document.h"
#include "server/gate/metrics.h"

TestSuite(document, .timeout = 10);

Test(document, a_problem_escapes_what_a_caller_wrote)
{
	struct problem_document problem = {
		.problem = PROBLEM_INVALID,
		.detail = "a \"quoted\"\n detail",
		.instance = "/v1/executions",
		.request_id = "id",
		.errors = "[{}]",
		.errors_length = 4,
	};
	own_buf buf = {0};

	buf_init(&buf, 4096);
	document_problem(&buf, &problem);

	cr_assert(eq(
		str, buf.data,
		(char *)"{\"type\":\"urn:casemate:problem:invalid\",\"title\":\"The body does "
			"not match its schema\",\"status\":422,\"detail\":\"a "
			"\\\"quoted\\\"\\n detail\",\"instance\":\"/v1/executions\",\"code\":"
			"\"invalid\",\"request_id\":\"id\",\"errors\":[{}]}\n"));
}

Test(document, a_problem_without_detail_says_its_title)
{
	struct problem_document problem = {.problem = PROBLEM_DRAINING, .detail = ""};
	own_buf buf = {0};

	buf_init(&buf, 4096);
	document_problem(&buf, &problem);

	cr_assert(
		ne(ptr, strstr(buf.data, "\"detail\":\"The service is shutting down\""), NULL));
	cr_assert(eq(ptr, strstr(buf.data, "hint"), NULL));
}

static void write_execution(struct buf *buf, const struct answer_execution *answer,
			    const char *members)
{
	buf_init(buf, 8192);
	document_execution_head(buf, answer, members[0] != '\0');
	buf_add_str(buf, members);
	document_execution_tail(buf, answer);
}

Test(document, an_execution_is_one_object)
{
	struct answer_execution answer = {
		.execution_id = "01JD9Z5WJ8Q6H6T5V3R2M1K0AB",
		.runtime = "python",
		.request_id = "id",
		.created_ms = 951782400007, /* 2000-02-29 */
		.status = STATUS_KILLED,
		.exit_code = -1,
		.signal = 11,
		.wall_us = 1000001,
		.layers = LAYER_ALL & ~(LAYER_SECCOMP | LAYER_CGROUP_CPU),
		.cgroup_version = 2,
	};
	own_buf with = {0};
	own_buf without = {0};

	write_execution(&with, &answer, "\"stdout\":\"\"");
	write_execution(&without, &answer, "");

	cr_assert(eq(int, buf_check(&with, NULL), 0));
	cr_assert(ne(ptr, strstr(with.data, "\"created_at\":\"2000-02-29T00:00:00.007Z\""),
		     NULL));
	cr_assert(ne(ptr,
		     strstr(with.data,
			    "\"exit_code\":null,\"signal\":\"SIGSEGV\",\"stdout\":\"\","
			    "\"usage\":{\"wall_ms\":1000.001,"),
		     NULL));
	cr_assert(ne(ptr,
		     strstr(with.data, "\"landlock\",\"denial_events\","
				       "\"core_scheduling\"],"
				       "\"not_promised\":[\"processor_share\"],"
				       "\"landlock_abi\":0,\"cgroup_version\":2}"),
		     NULL));
	cr_assert(ne(ptr, strstr(with.data, "\"level\":\"full\""), NULL));
	cr_assert(ne(ptr, strstr(without.data, "\"signal\":\"SIGSEGV\",\"usage\":"), NULL));
}

Test(document, modules_are_split_at_commas_and_what_is_missing_says_why)
{
	struct tell_runtime runtime = {.name = "python",
				       .version = "3",
				       .modules = ",a 1,,b",
				       .memory_bytes = 1,
				       .processes = 2};
	struct tell_runtime missing = {.name = "c", .missing = "no gcc"};
	const struct tell_runtime *runtimes[] = {&runtime, &missing};
	own_buf buf = {0};

	buf_init(&buf, 4096);
	document_runtimes(&buf, runtimes, 2);

	cr_assert(eq(str, buf.data,
		     (char *)"{\"runtimes\":[{\"name\":\"python\",\"version\":\"3\","
			     "\"modules\":[\"a 1\",\"b\"],"
			     "\"limits\":{\"wall_ms\":10000,\"cpu_ms\":10000,"
			     "\"memory_bytes\":1,\"output_bytes\":1048576,\"processes\":2,"
			     "\"open_files\":256,\"workspace_bytes\":67108864},"
			     "\"available\":true,\"reason\":null},"
			     "{\"name\":\"c\",\"version\":\"\",\"modules\":[],"
			     "\"limits\":{\"wall_ms\":10000,\"cpu_ms\":10000,"
			     "\"memory_bytes\":268435456,\"output_bytes\":1048576,"
			     "\"processes\":32,\"open_files\":256,"
			     "\"workspace_bytes\":67108864},"
			     "\"available\":false,\"reason\":\"no gcc\"}]}\n"));
}

Test(document, metrics_count_by_route_and_code)
{
	struct metrics metrics = {0};
	own_buf buf = {0};

	metrics_count_answer(&metrics, ENDPOINT_EXECUTE, 200);
	metrics_count_answer(&metrics, ENDPOINT_EXECUTE, 200);
	metrics_count_answer(&metrics, ENDPOINT_NONE, 299); /* none of ours */
	metrics_count_refused_head(&metrics, 400);
	buf_init(&buf, 1 << 16);
	metrics_write(&metrics, &buf);

	cr_assert(
		ne(ptr, strstr(buf.data, "{route=\"/v1/executions\",code=\"200\"} 2\n"), NULL));
	cr_assert(ne(ptr, strstr(buf.data, "{route=\"none\",code=\"0\"} 1\n"), NULL));
	cr_assert(ne(ptr, strstr(buf.data, "heads_refused_total{code=\"400\"} 1\n"), NULL));
	cr_assert(eq(chr, buf.data[buf.length - 1], '\n'));
}

/* Every problem has its own column, so that no refusal is counted as "0". */
Test(document, every_problem_has_a_column)
{
	for (uint8_t problem = 1; problem <= PROBLEM_MAX; problem++) {
		struct metrics metrics = {0};

		metrics_count_answer(&metrics, ENDPOINT_NONE, problem_http(problem));
		cr_assert(eq(u64, metrics.requests[ENDPOINT_NONE][0], 0), "%s",
			  problem_code(problem));
	}
}
