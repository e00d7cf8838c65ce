/*
 * tests/fuzz/fuzz_code_rules.c - a file of rules, up to its compiled query. What is refused
 * says why; what is not survives a source.
 */
#include <assert.h>
#include <stdint.h>

#include "validator/code/rules.h"
#include "validator/json_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int load(json_t *document, struct code_rules *rules)
{
	struct err err = {0};
	int status = code_rules_add(rules, NULL, document, "fuzz", &err);

	if (status == 0)
		status = code_rules_ready(rules, CODE_PYTHON, &err);
	assert(status == 0 || err.text[0] != '\0');
	return status;
}

static void examine(json_t *document)
{
	static const char source[] = "import os as o\nfor x in y: o.system('a' + x)\n";
	struct code_rules *rules = calloc(1, sizeof(*rules));
	struct code_findings *findings = calloc(1, sizeof(*findings));
	struct err err = {0};

	assert(rules != NULL && findings != NULL);
	if (load(document, rules) == 0)
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
		examine(document);
		json_decref(document);
	}
	free(faults);
	return 0;
}
