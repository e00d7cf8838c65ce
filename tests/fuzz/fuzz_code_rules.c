/*
 * tests/fuzz/fuzz_code_rules.c - a file of rules, up to its compiled query. What is refused
 * says why; what is not survives a source.
 */
#include <assert.h>
#include <sanitizer/lsan_interface.h>
#include <stdint.h>

#include "validator/code/rules.h"
#include "validator/json_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int load(json_t *document, struct code_rules *rules)
{
	struct err err = {0};
	int status = code_rules_add(rules, NULL, document, "fuzz", &err);

	if (status == 0)
		status = code_rules_finish(rules, CODE_PYTHON, &err);
	assert(status == 0 || err.text[0] != '\0');
	return status;
}

/* ts_query_new() of tree-sitter 0.20 keeps a few bytes of a query that it refuses, so what such
 * a file leaves cannot be told from what we forget. Of all others everything is looked at. */
static int load_unwatched(json_t *document)
{
	struct code_rules *rules = calloc(1, sizeof(*rules));
	int status;

	assert(rules != NULL);
	__lsan_disable();
	status = load(document, rules);
	__lsan_enable();
	code_rules_done(rules);
	free(rules);
	return status;
}

static void examine(json_t *document)
{
	static const char source[] = "import os as o\nfor x in y: o.system('a' + x)\n";
	struct code_rules *rules = calloc(1, sizeof(*rules));
	struct code_findings *findings = calloc(1, sizeof(*findings));
	struct err err = {0};

	assert(rules != NULL && findings != NULL);
	assert(load(document, rules) == 0);
	assert(code_examine(rules, NULL, CODE_PYTHON, source, sizeof(source) - 1, 50000,
			    findings, &err) == 0);
	code_findings_done(findings);
	code_rules_done(rules);
	free(findings);
	free(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults *faults = malloc(sizeof(*faults));
	json_t *document = NULL;

	assert(faults != NULL);
	if (json_guard_parse((const char *)data, size, &document, faults) == 0) {
		if (load_unwatched(document) == 0)
			examine(document);
		json_decref(document);
	}
	free(faults);
	return 0;
}
