/*
 * tests/fuzz/fuzz_code_source.c - the first byte chooses a language, the rest is source. It is
 * parsed, its names are resolved and its constants folded at every node, it is judged by the
 * rules of the unit tests, and what is found lies within it.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>

#include "validator/code/fold.h"
#include "validator/code/names.h"
#include "validator/code/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct code_rules *load(void)
{
	static struct code_rules rules;
	struct err err = {0};
	int folder;

	if (rules.rule_count > 0)
		return &rules;
	folder = open("tests/unit/validator/rules", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(folder >= 0);
	assert(code_rules_load(&rules, NULL, folder, &err) == 0);
	for (unsigned i = 0; i < CODE_LANGUAGES; i++)
		assert(code_rules_finish(&rules, (enum code_language)i, &err) == 0);
	close(folder);
	return &rules;
}

/* Whatever the rules ask for, and more. */
static void ask_everything(enum code_language language, const char *text, size_t length)
{
	struct code code;
	struct err err = {0};

	assert(code_open(&code, language, text, length, 50000, &err) == 0);
	if (code.limit == CODE_WHOLE) {
		assert(code_bind_all(&code, &err) == 0);
		for (uint32_t i = 0; i < code.count; i++) {
			assert(code.nodes[i].end <= length && code.nodes[i].after > i);
			assert(code_names_of(&code, i)->count <= CODE_NAMES_MAX);
			assert(code_fold(&code, i)->length <= FOLD_TEXT_MAX);
			(void)code_is_assembled(&code, i);
		}
	}
	code_close(&code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct code_findings *findings = calloc(1, sizeof(*findings));
	enum code_language language;
	const char *text = (const char *)data + 1;
	struct report_source source = {.file = "fuzz"};
	struct err err = {0};
	own_buf out = {.data = NULL};

	assert(findings != NULL);
	buf_init(&out, REPORT_BYTES_MAX);
	if (size > 0) {
		language = (enum code_language)(data[0] % CODE_LANGUAGES);
		source.language = language;
		source.text = text;
		source.length = size - 1;
		ask_everything(language, text, size - 1);
		assert(code_examine(load(), NULL, language, text, size - 1, 50000, findings,
				    &err) == 0);
		code_report_text(&source, findings, &out);
		out.length = 0;
		code_report_json(&source, findings, &out);
		assert(!out.has_failed);
	}
	code_findings_done(findings);
	free(findings);
	return 0;
}
