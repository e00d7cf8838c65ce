/*
 * Every keyword with good and bad instances: tests/unit/validator/schemas/ is ours, and always
 * there; the public suite of JSON Schema runs as well when JSON_SCHEMA_SUITE names its folder
 * (with tests/ and remotes/ in it). Both have the same form; ours adds "remotes" (documents by
 * URI), "formats" (assert them) and "refused" (a part of the error that compiling gives).
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/validator/support.h"
#include "validator/schema_faults.h"

TestSuite(schema_cases, .timeout = 120);

#define OWN_FOLDER "tests/unit/validator/schemas"
#define SUITE_BASE "http://localhost:1234/"

struct tally {
	const char *file;
	size_t tests;
};

/* With an integer beyond 64 bits all numbers are doubles, as in `casemate schema check`. */
static json_t *load(const char *path)
{
	size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_t *value = json_load_file(path, flags, NULL);

	return value != NULL ? value
			     : json_load_file(path, flags | JSON_DECODE_INT_AS_REAL, NULL);
}

static int load_remote(void *owner, const char *uri, json_t **ret, struct err *err)
{
	char path[4096];

	(void)err;
	if (owner == NULL || strncmp(uri, SUITE_BASE, strlen(SUITE_BASE)) != 0)
		return -ENOENT;
	(void)snprintf(path, sizeof(path), "%s/remotes/%s", (const char *)owner,
		       uri + strlen(SUITE_BASE));
	*ret = load(path);
	return *ret != NULL ? 0 : -ENOENT;
}

static int compile(const json_t *group, const char *folder, struct schema **ret,
		   struct err *err)
{
	const struct schema_source source = {load_remote, (void *)(uintptr_t)folder};
	unsigned flags = json_is_true(json_object_get(group, "formats")) ? SCHEMA_FORMATS : 0;
	struct schema_store *store = NULL;
	const char *uri;
	json_t *remote;
	int status = schema_store_new(&store, err);

	cr_assert_eq(status, 0);
	schema_store_source(store, &source);
	json_object_foreach(json_object_get(group, "remotes"), uri, remote)
	{
		cr_assert_eq(schema_store_add(store, uri, remote, err), 0, "%s", err->text);
	}
	status = schema_store_compile(store, "", json_object_get(group, "schema"), flags, ret,
				      err);
	schema_store_free(store);
	return status;
}

/* All ways to ask agree, and an invalid instance has an error that says everything. */
static enum schema_verdict judge(const struct schema *schema, json_t *value, const char *where)
{
	static struct faults faults;
	own_schema_report report = {.errors = NULL};
	enum schema_verdict verdict = schema_judge(schema, value, NULL);

	schema_report_init(&report);
	cr_expect_eq(schema_judge(schema, value, &report), verdict, "%s", where);
	faults_init(&faults);
	cr_expect_eq(schema_check(schema, value, &faults), verdict == SCHEMA_VALID, "%s",
		     where);
	cr_expect_eq(faults.count == 0, verdict == SCHEMA_VALID, "%s", where);
	cr_expect_eq(report.error_count == 0, verdict == SCHEMA_VALID, "%s", where);
	for (size_t i = 0; i < report.error_count; i++) {
		const struct schema_error *error = &report.errors[i];

		cr_expect(error->text[0] != '\0' && error->hint[0] != '\0', "%s", where);
		cr_expect(error->instance[0] == '\0' || error->instance[0] == '/', "%s", where);
		cr_expect(strchr(error->location, '#') != NULL, "%s", where);
	}
	return verdict;
}

static void run_group(const json_t *group, const char *folder, struct tally *tally)
{
	const char *what = json_string_value(json_object_get(group, "description"));
	const char *refused = json_string_value(json_object_get(group, "refused"));
	own_schema *schema = NULL;
	struct err err = {0};
	int status = compile(group, folder, &schema, &err);
	size_t index;
	json_t *test;

	if (refused != NULL) {
		tally->tests++;
		cr_expect_eq(status, -EINVAL, "%s: %s is not refused", tally->file, what);
		cr_expect(strstr(err.text, refused) != NULL, "%s: %s: %s", tally->file, what,
			  err.text);
		return;
	}
	cr_assert_eq(status, 0, "%s: %s: %s", tally->file, what, err.text);
	json_array_foreach(json_object_get(group, "tests"), index, test)
	{
		bool wanted = json_is_true(json_object_get(test, "valid"));
		char where[300];

		(void)snprintf(where, sizeof(where), "%s: %s: %zu", tally->file, what, index);
		tally->tests++;
		cr_expect_eq(judge(schema, json_object_get(test, "data"), where),
			     wanted ? SCHEMA_VALID : SCHEMA_INVALID, "%s", where);
	}
}

static size_t run_folder(const char *folder, const char *suite)
{
	DIR *files = opendir(folder);
	struct dirent *entry;
	struct tally tally = {0};

	cr_assert_not_null(files, "%s", folder);
	while ((entry = readdir(files)) != NULL) {
		char path[4096];
		size_t index;
		json_t *group;
		json_t *groups;

		if (strstr(entry->d_name, ".json") == NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		tally.file = entry->d_name;
		groups = load(path);
		cr_assert(json_array_size(groups) > 0, "%s", path);
		json_array_foreach(groups, index, group) run_group(group, suite, &tally);
		json_decref(groups);
	}
	(void)closedir(files);
	return tally.tests;
}

Test(schema_cases, our_own_cover_every_keyword)
{
	cr_expect_geq(run_folder(OWN_FOLDER, NULL), 700);
}

/* Where it lies beside the project, nobody has to name it, and the sanitizers read it too. */
#define SUITE_BESIDE "../shared/corpora/json-schema-2020-12"

Test(schema_cases, the_public_suite_agrees)
{
	const char *suite = getenv("JSON_SCHEMA_SUITE");
	char folder[4096];

	if (suite == NULL && access(SUITE_BESIDE, R_OK) == 0)
		suite = SUITE_BESIDE;
	if (suite == NULL)
		cr_skip("JSON_SCHEMA_SUITE names no folder");
	(void)snprintf(folder, sizeof(folder), "%s/tests", suite);
	cr_expect_geq(run_folder(folder, suite), 1000);
}

/* The draft's own documents are taken on trust by the store; here they are not. */
Test(schema_cases, the_meta_schemas_fit_themselves)
{
	static const char *const files[] = {
		"schema",    "core",	"applicator",	     "unevaluated",	"validation",
		"meta-data", "content", "format-annotation", "format-assertion"};
	own_json *reference =
		json_pack("{s:s}", "$ref", "https://json-schema.org/draft/2020-12/schema");
	own_schema *schema = NULL;
	struct err err = {0};

	cr_assert_eq(schema_compile(reference, 0, &schema, &err), 0, "%s", err.text);
	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		char path[200];
		own_json *document = NULL;

		(void)snprintf(path, sizeof(path), "schema/draft2020-12/%s.json", files[i]);
		document = load(path);
		cr_assert_not_null(document, "%s", path);
		cr_expect_eq(judge(schema, document, path), SCHEMA_VALID, "%s", path);
	}
}
