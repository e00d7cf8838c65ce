#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "sandbox/warden/job.h"
#include "schema/bundle.h"

TestSuite(job, .timeout = 10);

static const struct setup_warden_config config = {
	.memory_bytes_max = 1u << 30,
	.open_files_max = 512,
	.processes_max = 64,
};

static struct job_start good(void)
{
	return (struct job_start){.wall_ms = 1000,
				  .cpu_ms = 1000,
				  .memory_bytes = 64u << 20,
				  .output_bytes = 4096,
				  .processes = 8,
				  .open_files = 64,
				  .workspace_bytes = 1u << 20};
}

Test(job, good_limits_pass)
{
	struct job_start start = good();

	cr_assert(eq(int, job_check(&start, &config, NULL), 0));
}

Test(job, every_limit_left_out_is_named)
{
	static const struct {
		const char *name;
		size_t at;
	} members[] = {
#define MEMBER(name) {#name, offsetof(struct job_start, name)}
		MEMBER(wall_ms),	 MEMBER(cpu_ms),    MEMBER(memory_bytes),
		MEMBER(output_bytes),	 MEMBER(processes), MEMBER(open_files),
		MEMBER(workspace_bytes),
	};

	for (size_t i = 0; i < ARRAY_COUNT(members); i++) {
		struct job_start start = good();
		struct err err = {0};
		uint64_t zero = 0;

		memcpy((char *)&start + members[i].at, &zero, sizeof(zero));
		cr_assert(eq(int, job_check(&start, &config, &err), -ERANGE));
		cr_assert(ne(ptr, strstr(err.text, members[i].name), NULL));
	}
}

Test(job, the_configurations_ceilings_hold_to_the_last_unit)
{
	struct job_start start = good();

	start.memory_bytes = config.memory_bytes_max;
	start.processes = config.processes_max;
	start.open_files = config.open_files_max;
	cr_assert(eq(int, job_check(&start, &config, NULL), 0));
	start.memory_bytes++;
	cr_assert(eq(int, job_check(&start, &config, NULL), -ERANGE));
	start = good();
	start.processes = config.processes_max + 1;
	cr_assert(eq(int, job_check(&start, &config, NULL), -ERANGE));
	start = good();
	start.open_files = config.open_files_max + 1;
	cr_assert(eq(int, job_check(&start, &config, NULL), -ERANGE));
}

static int make(const enum bundle_kind *kinds, size_t count, struct job **ret)
{
	struct job_start start = good();
	own_buf buf;
	int fd = -1;

	buf_init(&buf, 4096);
	for (size_t i = 0; i < count; i++)
		bundle_add(&buf, kinds[i], "n", 1, "data", 4);
	cr_assert(eq(int, memfd_from("payload", buf.data, buf.length, &fd, NULL), 0));
	return job_new(NULL, 1, &start, fd, ret, NULL);
}

Test(job, payload_with_code_first_is_taken)
{
	struct job *job = NULL;

	cr_assert(eq(
		int,
		make((enum bundle_kind[]){BUNDLE_CODE, BUNDLE_ARG, BUNDLE_FILE, BUNDLE_GUARD},
		     4, &job),
		0));
	job_free(job);
}

Test(job, payload_without_code_with_two_or_with_an_outcome_is_refused)
{
	struct job *job = NULL;

	cr_assert(eq(int, make((enum bundle_kind[]){BUNDLE_ARG}, 1, &job), -EBADMSG));
	cr_assert(eq(int, make((enum bundle_kind[]){BUNDLE_ARG, BUNDLE_CODE}, 2, &job),
		     -EBADMSG));
	cr_assert(eq(int, make((enum bundle_kind[]){BUNDLE_CODE, BUNDLE_CODE}, 2, &job),
		     -EBADMSG));
	cr_assert(eq(int, make((enum bundle_kind[]){BUNDLE_CODE, BUNDLE_EVENT}, 2, &job),
		     -EBADMSG));
	cr_assert(eq(int, make((enum bundle_kind[]){BUNDLE_GUARD, BUNDLE_CODE}, 2, &job),
		     -EBADMSG));
	cr_assert(eq(int, make((enum bundle_kind[]){BUNDLE_CODE, BUNDLE_STDOUT}, 2, &job),
		     -EBADMSG));
	cr_assert(eq(int, make(NULL, 0, &job), -EBADMSG));
	cr_assert(eq(ptr, job, NULL));
}

TestSuite(queue, .timeout = 10);

Test(queue, is_first_in_first_out)
{
	struct job jobs[3] = {{.id = 1}, {.id = 2}, {.id = 3}};
	struct job_queue queue = {0};

	for (int i = 0; i < 3; i++)
		job_queue_add(&queue, &jobs[i]);

	for (int i = 0; i < 3; i++) {
		cr_assert(eq(ptr, queue.first, &jobs[i]));
		job_queue_remove(&queue, queue.first);
	}
	cr_assert(eq(uint, queue.length, 0));
	cr_assert(eq(ptr, queue.last, NULL));
}

Test(queue, removes_from_the_middle_and_the_end)
{
	struct job jobs[3] = {{.id = 1}, {.id = 2}, {.id = 3}};
	struct job_queue queue = {0};

	for (int i = 0; i < 3; i++)
		job_queue_add(&queue, &jobs[i]);
	job_queue_remove(&queue, &jobs[1]);
	cr_assert(eq(ptr, queue.first->next, &jobs[2]));
	job_queue_remove(&queue, &jobs[2]);

	cr_assert(eq(ptr, queue.last, &jobs[0]));
	cr_assert(eq(ptr, job_queue_find(&queue, 1), &jobs[0]));
	cr_assert(eq(ptr, job_queue_find(&queue, 2), NULL));
	cr_assert(eq(uint, queue.length, 1));
}

Test(queue, a_second_try_comes_first)
{
	struct job jobs[2] = {{.id = 1}, {.id = 2}};
	struct job_queue queue = {0};

	job_queue_add_first(&queue, &jobs[0]);
	job_queue_add_first(&queue, &jobs[1]);

	cr_assert(eq(ptr, queue.first, &jobs[1]));
	cr_assert(eq(ptr, queue.last, &jobs[0]));
	cr_assert(eq(ptr, jobs[0].previous, &jobs[1]));
	cr_assert(eq(uint, queue.length, 2));
}

Test(queue, a_busy_runtime_does_not_hold_up_another)
{
	struct runtime *python = (struct runtime *)(uintptr_t)8;
	struct runtime *bash = (struct runtime *)(uintptr_t)16;
	struct job jobs[2] = {{.id = 1, .runtime = python}, {.id = 2, .runtime = bash}};
	struct job_queue queue = {0};

	job_queue_add(&queue, &jobs[0]);
	job_queue_add(&queue, &jobs[1]);

	cr_assert(eq(ptr, job_queue_first_for(&queue, bash), &jobs[1]));
	cr_assert(eq(ptr, job_queue_first_for(&queue, NULL), NULL));
}
