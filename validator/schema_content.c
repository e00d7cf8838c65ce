/*
 * The content vocabulary: annotations only, as section 8 of the validation specification wants.
 * The schema of the content is compiled, so that its mistakes are found, and never applied.
 */
#include "validator/schema_node.h"

static int take_text(struct compiler *compiler, json_t *value, struct err *err)
{
	return json_is_string(value) ? 0
				     : compile_error(compiler, NULL, "must be a string", err);
}

static int take_schema(struct compiler *compiler, json_t *value, struct err *err)
{
	const struct schema_node *ignored;

	return compile_only(compiler, value, &ignored, err);
}

const struct schema_keyword schema_content_keywords[] = {
	{"contentEncoding", VOCABULARY_CONTENT, take_text},
	{"contentMediaType", VOCABULARY_CONTENT, take_text},
	{"contentSchema", VOCABULARY_CONTENT, take_schema},
	{NULL, 0, NULL},
};
