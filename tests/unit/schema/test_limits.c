/*
 * The JSON schemas repeat the numbers of schema/limits.h, because they are published as they
 * are. This fails when the two differ. The tests run in the top folder of the project.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "schema/limits.h"

TestSuite(limits, .timeout = 10);

static const struct {
	const char *name;
	unsigned long long min, standard, max;
} limits[] = {
	{"wall_ms", LIMIT_WALL_MS_MIN, LIMIT_WALL_MS_DEFAULT, LIMIT_WALL_MS_MAX},
	{"cpu_ms", LIMIT_CPU_MS_MIN, LIMIT_CPU_MS_DEFAULT, LIMIT_CPU_MS_MAX},
	{"memory_bytes", LIMIT_MEMORY_BYTES_MIN, LIMIT_MEMORY_BYTES_DEFAULT,
	 LIMIT_MEMORY_BYTES_MAX},
	{"output_bytes", LIMIT_OUTPUT_BYTES_MIN, LIMIT_OUTPUT_BYTES_DEFAULT,
	 LIMIT_OUTPUT_BYTES_MAX},
	{"processes", LIMIT_PROCESSES_MIN, LIMIT_PROCESSES_DEFAULT, LIMIT_PROCESSES_MAX},
	{"open_files", LIMIT_OPEN_FILES_MIN, LIMIT_OPEN_FILES_DEFAULT, LIMIT_OPEN_FILES_MAX},
	{"workspace_bytes", LIMIT_WORKSPACE_BYTES_MIN, LIMIT_WORKSPACE_BYTES_DEFAULT,
	 LIMIT_WORKSPACE_BYTES_MAX},
};

static void read_schema(const char *path, struct buf *ret)
{
	FILE *file = fopen(path, "re");
	char chunk[4096];
	size_t got;

	cr_assert(ne(ptr, file, NULL), "%s: run the tests in the top folder", path);
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(ret, chunk, got);
	(void)fclose(file);
	cr_assert(eq(int, buf_check(ret, NULL), 0));
}

/* The object of a property: from `"name": {` after `start`. */
static const char *property(const char *start, const char *name)
{
	char opening[64];
	const char *found;

	(void)snprintf(opening, sizeof(opening), "\"%s\": {", name);
	found = strstr(start, opening);
	cr_assert(ne(ptr, (void *)(uintptr_t)found, NULL), "no %s", name);
	return found;
}

/* A number of the object that starts at `object`; our schema files put no object before it. */
static unsigned long long number(const char *object, const char *member)
{
	char opening[64];
	const char *found;

	(void)snprintf(opening, sizeof(opening), "\"%s\": ", member);
	found = strstr(object, opening);
	cr_assert(ne(ptr, (void *)(uintptr_t)found, NULL), "no %s", member);
	cr_assert(lt(ptr, (void *)(uintptr_t)found, (void *)(uintptr_t)strchr(object, '}')));
	return strtoull(found + strlen(opening), NULL, 10);
}

Test(limits, of_a_request_are_those_of_the_schema)
{
	own_buf text;
	const char *start;

	buf_init(&text, 1 << 20);
	read_schema("schema/v1/execution-request.schema.json", &text);
	start = strstr(property(text.data, "limits"), "\"properties\": {");

	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		const char *object = property(start, limits[i].name);

		cr_assert(eq(ullong, number(object, "minimum"), limits[i].min));
		cr_assert(eq(ullong, number(object, "maximum"), limits[i].max));
		cr_assert(eq(ullong, number(object, "default"), limits[i].standard));
	}
}

Test(limits, no_tenant_may_be_given_more)
{
	own_buf text;
	const char *start;

	buf_init(&text, 1 << 20);
	read_schema("schema/v1/config.schema.json", &text);
	start = strstr(text.data, "\"$defs\": {");
	start = strstr(start, "\n    \"ceilings\": {");

	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		const char *object = property(start, limits[i].name);

		cr_assert(eq(ullong, number(object, "minimum"), limits[i].min));
		cr_assert(eq(ullong, number(object, "maximum"), limits[i].max));
	}
}

Test(limits, the_body_is_as_large_as_the_gate_may_be_told)
{
	own_buf text;

	buf_init(&text, 1 << 20);
	read_schema("schema/v1/config.schema.json", &text);

	cr_assert(eq(ullong, number(property(text.data, "body_bytes_max"), "maximum"),
		     LIMIT_BODY_BYTES));
}

Test(limits, of_the_parts_of_a_request_are_those_of_the_schema)
{
	own_buf text;

	buf_init(&text, 1 << 20);
	read_schema("schema/v1/execution-request.schema.json", &text);

	cr_assert(eq(ullong, number(property(text.data, "code"), "x-bytes-max"),
		     LIMIT_CODE_BYTES));
	cr_assert(eq(ullong, number(property(text.data, "stdin"), "x-bytes-max"),
		     LIMIT_STDIN_BYTES));
	cr_assert(eq(ullong, number(property(text.data, "args"), "maxItems"), LIMIT_ARGS));
	cr_assert(eq(ullong, number(property(text.data, "env"), "maxProperties"), LIMIT_ENVS));
	cr_assert(eq(ullong, number(property(text.data, "files"), "maxItems"), LIMIT_FILES));
}
