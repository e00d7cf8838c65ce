/* The core vocabulary: identity and references. Their meaning is mostly in the compiler. */
#include <string.h>

#include "validator/schema_check.h"

static int take_text(struct compiler *compiler, json_t *value, struct err *err)
{
	return json_is_string(value) ? 0
				     : compile_error(compiler, NULL, "must be a string", err);
}

static int take_reference(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_string(value))
		return compile_error(compiler, NULL, "must be a string", err);
	compiler->node->parts |= PART_COMBINED;
	return compile_reference(compiler, json_string_value(value), false, err);
}

static int take_dynamic_reference(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_string(value))
		return compile_error(compiler, NULL, "must be a string", err);
	compiler->node->parts |= PART_COMBINED;
	compiler->store->has_dynamic = true;
	return compile_reference(compiler, json_string_value(value), true, err);
}

/* Anchors in one resource: each new one is compared with all, each reference looks through
 * them. Hand-written schemas have under 50. */
#define ANCHORS_MAX 1024

static int add_anchor(struct compiler *compiler, json_t *value, bool is_dynamic,
		      struct err *err)
{
	struct schema_resource *resource = compiler->node->resource;
	size_t count = resource->anchor_count;
	struct schema_anchor *grown;

	if (!json_is_string(value))
		return compile_error(compiler, NULL, "must be a string", err);
	if (count >= ANCHORS_MAX)
		return compile_error(compiler, NULL, "is one anchor too many", err);
	for (size_t i = 0; i < count; i++)
		if (strcmp(resource->anchors[i].name, json_string_value(value)) == 0 &&
		    resource->anchors[i].node != compiler->node)
			return compile_error(compiler, NULL, "names an anchor twice", err);
	/* Grows to the next power of two when full. */
	if ((count & (count - 1)) == 0) {
		grown = reallocarray(resource->anchors, count == 0 ? 1 : 2 * count,
				     sizeof(*grown));
		if (grown == NULL)
			return err_errno(err, ENOMEM, "compile a schema");
		resource->anchors = grown;
	}
	resource->anchors[resource->anchor_count++] = (struct schema_anchor){
		.name = json_string_value(value),
		.node = compiler->node,
		.is_dynamic = is_dynamic,
	};
	resource->has_dynamic |= is_dynamic;
	return 0;
}

static int take_anchor(struct compiler *compiler, json_t *value, struct err *err)
{
	return add_anchor(compiler, value, false, err);
}

static int take_dynamic_anchor(struct compiler *compiler, json_t *value, struct err *err)
{
	return add_anchor(compiler, value, true, err);
}

/* Definitions are compiled even when nothing refers to them: their mistakes are errors too. */
static int take_definitions(struct compiler *compiler, json_t *value, struct err *err)
{
	const struct schema_node *ignored;
	const char *name;
	size_t length;
	json_t *child;

	if (!json_is_object(value))
		return compile_error(compiler, NULL, "must be an object", err);
	json_object_keylen_foreach(value, name, length, child)
	{
		struct compile_step step = {name, length, SIZE_MAX};
		int status = compile_child(compiler, child, &step, &ignored, err);

		if (status < 0)
			return status;
	}
	return 0;
}

static int take_vocabulary(struct compiler *compiler, json_t *value, struct err *err)
{
	return json_is_object(value) ? 0
				     : compile_error(compiler, NULL, "must be an object", err);
}

static int take_hint(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_string(value))
		return compile_error(compiler, NULL, "must be a string", err);
	compiler->node->hint = json_string_value(value);
	return 0;
}

static int take_unknown(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_object(value))
		return compile_error(compiler, NULL, "must be an object", err);
	compiler->node->unknown = value;
	return 0;
}

const struct schema_keyword schema_core_keywords[] = {
	{"$id", VOCABULARY_CORE, take_text},
	{"$schema", VOCABULARY_CORE, take_text},
	{"$ref", VOCABULARY_CORE, take_reference},
	{"$anchor", VOCABULARY_CORE, take_anchor},
	{"$dynamicRef", VOCABULARY_CORE, take_dynamic_reference},
	{"$dynamicAnchor", VOCABULARY_CORE, take_dynamic_anchor},
	{"$vocabulary", VOCABULARY_CORE, take_vocabulary},
	{"$comment", VOCABULARY_CORE, take_text},
	{"$defs", VOCABULARY_CORE, take_definitions},
	{"title", VOCABULARY_META_DATA, take_annotation},
	{"description", VOCABULARY_META_DATA, take_annotation},
	{"default", VOCABULARY_META_DATA, take_annotation},
	{"deprecated", VOCABULARY_META_DATA, take_annotation},
	{"readOnly", VOCABULARY_META_DATA, take_annotation},
	{"writeOnly", VOCABULARY_META_DATA, take_annotation},
	{"examples", VOCABULARY_META_DATA, take_annotation},
	/* Ours: they change hints, never verdicts. */
	{"x-hint", VOCABULARY_CORE, take_hint},
	{"x-unknown", VOCABULARY_CORE, take_unknown},
	{NULL, 0, NULL},
};

/* --- checking ---------------------------------------------------------------------------- */

/* Section 8.2.3.2: the outermost resource of the way here that has a dynamic anchor of that
 * name; the plain target when none has. */
static const struct schema_node *dynamic_target(struct checker *checker,
						const struct schema_node *node)
{
	const struct schema_node *found = node->dynamic;

	if (node->dynamic_name == NULL)
		return found;
	for (const struct scope *scope = checker->scope; scope != NULL; scope = scope->outer) {
		const struct schema_resource *resource = scope->resource;

		if (!resource->has_dynamic)
			continue;
		for (size_t i = 0; i < resource->anchor_count; i++) {
			if (!charge(checker, 1))
				return found;
			if (resource->anchors[i].is_dynamic &&
			    strcmp(resource->anchors[i].name, node->dynamic_name) == 0)
				found = resource->anchors[i].node;
		}
	}
	return found;
}

bool check_core(struct checker *checker, const struct schema_node *node, json_t *value,
		const struct place *place, struct marks *marks)
{
	bool is_good = true;

	if (node->reference != NULL)
		is_good = evaluate_by(checker, "$ref", node->reference, value, place, marks);
	if (node->dynamic != NULL && (is_good || checker->report != NULL))
		is_good &= evaluate_by(checker, "$dynamicRef", dynamic_target(checker, node),
				       value, place, marks);
	return is_good;
}
