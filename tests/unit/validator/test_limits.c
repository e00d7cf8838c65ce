#include <criterion/criterion.h>

#include "tests/unit/validator/support.h"
#include "validator/events.h"
#include "validator/policy.h"

TestSuite(limits, .timeout = 30);

/* name, constant prefix of schema/limits.h */
#define ROWS(X)                         \
	X("wall_ms", WALL_MS)           \
	X("cpu_ms", CPU_MS)             \
	X("memory_bytes", MEMORY_BYTES) \
	X("output_bytes", OUTPUT_BYTES) \
	X("processes", PROCESSES)       \
	X("open_files", OPEN_FILES)     \
	X("workspace_bytes", WORKSPACE_BYTES)

static const struct row {
	const char *name;
	json_int_t low, standard, high;
} rows[] = {
#define X(name, NAME) {name, LIMIT_##NAME##_MIN, LIMIT_##NAME##_DEFAULT, LIMIT_##NAME##_MAX},
	ROWS(X)
#undef X
};

static json_t *at(json_t *value, const char *const *path)
{
	while (*path != NULL)
		value = json_object_get(value, *path++);
	return value;
}
#define AT(which, ...) \
	at(support_catalog()->documents[which], (const char *const[]){__VA_ARGS__, NULL})

static json_int_t number(json_t *object, const char *name)
{
	cr_assert(json_is_integer(json_object_get(object, name)), "%s", name);
	return json_integer_value(json_object_get(object, name));
}

Test(limits, schemas_repeat_the_numbers_of_the_header)
{
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		json_t *asked =
			AT(CATALOG_REQUEST, "properties", "limits", "properties", rows[i].name);
		json_t *ceiling =
			AT(CATALOG_CONFIG, "$defs", "ceilings", "properties", rows[i].name);

		cr_expect_eq(number(asked, "minimum"), rows[i].low, "%s", rows[i].name);
		cr_expect_eq(number(asked, "default"), rows[i].standard, "%s", rows[i].name);
		cr_expect_eq(number(asked, "maximum"), rows[i].high, "%s", rows[i].name);
		cr_expect_eq(number(ceiling, "minimum"), rows[i].low, "%s", rows[i].name);
		cr_expect_eq(number(ceiling, "maximum"), rows[i].high, "%s", rows[i].name);
	}
	cr_expect_eq(
		json_object_size(AT(CATALOG_REQUEST, "properties", "limits", "properties")),
		ARRAY_COUNT(rows));
}

Test(limits, schemas_repeat_the_sizes_of_the_header)
{
	json_t *request = AT(CATALOG_REQUEST, "properties");
	json_t *env = json_object_get(request, "env");
	json_t *args = json_object_get(request, "args");
	json_t *body = AT(CATALOG_CONFIG, "properties", "http", "properties", "body_bytes_max");

	cr_expect_eq(number(json_object_get(request, "code"), "maxLength"), LIMIT_CODE_BYTES);
	cr_expect_eq(number(json_object_get(request, "stdin"), "maxLength"), LIMIT_STDIN_BYTES);
	cr_expect_eq(number(args, "maxItems"), LIMIT_ARGS);
	cr_expect_eq(number(json_object_get(args, "items"), "maxLength"), LIMIT_ARG_BYTES);
	cr_expect_eq(number(env, "maxProperties"), LIMIT_ENVS);
	cr_expect_eq(number(json_object_get(env, "propertyNames"), "maxLength"),
		     LIMIT_ENV_NAME_BYTES);
	cr_expect_eq(number(json_object_get(env, "additionalProperties"), "maxLength"),
		     LIMIT_ENV_VALUE_BYTES);
	cr_expect_eq(number(json_object_get(request, "files"), "maxItems"), LIMIT_FILES);
	cr_expect_eq(
		number(AT(CATALOG_REQUEST, "$defs", "file", "properties", "path"), "maxLength"),
		LIMIT_PATH_BYTES);
	cr_expect_eq(number(json_object_get(request, "language"), "maxLength"),
		     LIMIT_NAME_BYTES);
	cr_expect_eq(number(body, "maximum"), LIMIT_BODY_BYTES);
	cr_expect_eq(number(AT(CATALOG_EXECUTION, "properties", "files"), "maxItems"),
		     LIMIT_FILES);
	cr_expect_eq(number(AT(CATALOG_EXECUTION, "properties", "events"), "maxItems"),
		     EVENTS_MAX);
	cr_expect_eq(number(AT(CATALOG_EXECUTION, "properties", "sanitised"), "maxItems"),
		     LIMIT_SANITISED + 1);
	cr_expect_eq(number(AT(CATALOG_VALIDATION, "properties", "sanitised"), "maxItems"),
		     LIMIT_SANITISED + 1);
	cr_expect_eq(number(AT(CATALOG_REPORT, "properties", "denials"), "maxItems"),
		     LIMIT_DENIALS);
	cr_expect_eq(
		number(AT(CATALOG_REPORT, "$defs", "denial", "properties", "count"), "maximum"),
		LIMIT_DENIAL_COUNT);
}

static void expect_names(const json_t *list, const char *const *names, size_t count)
{
	cr_assert_eq(json_array_size(list), count);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(json_string_value(json_array_get(list, i)), names[i]);
}

Test(limits, schemas_repeat_the_closed_lists)
{
	static const char *const statuses[] = {
#define X(symbol, name, meaning) name,
		STATUS_LIST(X)
#undef X
	};
	static const char *const problems[] = {
#define X(symbol, code, http, title) code,
		PROBLEM_LIST(X)
#undef X
	};
	static const char *const layers[] = {
#define X(symbol, name) name,
		LAYER_LIST(X)
#undef X
	};
	static const char *const kinds[] = {
#define X(symbol, name) name,
		POLICY_SYNTAX_LIST(X)
#undef X
	};

	expect_names(AT(CATALOG_EXECUTION, "properties", "status", "enum"), statuses,
		     ARRAY_COUNT(statuses));
	expect_names(AT(CATALOG_PROBLEM, "properties", "code", "enum"), problems,
		     ARRAY_COUNT(problems));
	expect_names(AT(CATALOG_POLICY, "$defs", "kinds", "items", "enum"), kinds,
		     ARRAY_COUNT(kinds));
	expect_names(AT(CATALOG_CONFIG, "properties", "isolation", "properties",
			"layers_required", "items", "enum"),
		     layers, ARRAY_COUNT(layers));
	cr_expect_eq(json_integer_value(AT(CATALOG_CONFIG, "properties", "isolation",
					   "properties", "layers_required", "maxItems")),
		     LAYER_COUNT);
	cr_expect_eq(json_integer_value(AT(CATALOG_CONFIG, "properties", "isolation",
					   "properties", "layers_disabled", "maxItems")),
		     LAYER_COUNT);
	expect_names(AT(CATALOG_EXECUTION, "properties", "isolation", "properties", "layers",
			"items", "enum"),
		     layers, ARRAY_COUNT(layers));
}
