#include "validator/schema_node.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Effort of one pattern on one string. Ours are linear; a pattern that is not is refused. */
#define PATTERN_MATCH_LIMIT 200000
#define PATTERN_HEAP_KIB    1024

/* Nesting of schemas while compiling; our deepest has 10 levels. */
#define COMPILE_DEPTH_MAX 64

struct compiler {
	struct schema *schema;
	struct schema_node *node;
	const struct place *place;
	unsigned depth;
};

bool schema_is_integral(const json_t *value)
{
	double real;

	if (json_is_integer(value))
		return true;
	if (!json_is_real(value))
		return false;
	real = json_real_value(value);
	/* From 2^53 on a double has no fraction left; below, a 64-bit integer holds it. */
	if (!isfinite(real))
		return false;
	return fabs(real) >= 9007199254740992.0 || real == (double)(int64_t)real;
}

static int compile_error(const struct place *place, const char *what, struct err *err)
{
	char pointer[FAULT_POINTER_BYTES];

	place_write(place, pointer, sizeof(pointer));
	return err_set(err, EINVAL, "schema: '%.200s' %s", pointer, what);
}

static int node_for(struct compiler *outer, json_t *source, const struct place *place,
		    const struct schema_node **ret, struct err *err);

static int compile_child(struct compiler *compiler, json_t *source, const char *key,
			 size_t index, const struct schema_node **ret, struct err *err)
{
	struct place place = {.parent = compiler->place,
			      .key = key,
			      .length = key != NULL ? strlen(key) : 0,
			      .index = index};

	return node_for(compiler, source, &place, ret, err);
}

/* --- keywords: one function each, found by table --------------------------------------------
 */

static int take_annotation(struct compiler *compiler, json_t *value, struct err *err)
{
	(void)compiler;
	(void)value;
	(void)err;
	return 0;
}

static unsigned type_bit(const json_t *name)
{
	static const struct {
		const char *name;
		unsigned bits;
	} types[] = {
		{"null", SCHEMA_NULL},	   {"boolean", SCHEMA_BOOLEAN},
		{"object", SCHEMA_OBJECT}, {"array", SCHEMA_ARRAY},
		{"string", SCHEMA_STRING}, {"integer", SCHEMA_INTEGER},
		{"number", SCHEMA_NUMBER},
	};

	for (size_t i = 0; json_is_string(name) && i < ARRAY_COUNT(types); i++)
		if (strcmp(types[i].name, json_string_value(name)) == 0)
			return types[i].bits;
	return 0;
}

static int take_type(struct compiler *compiler, json_t *value, struct err *err)
{
	size_t index;
	json_t *name;

	if (json_is_string(value))
		compiler->node->types = type_bit(value);
	json_array_foreach(value, index, name)
	{
		if (type_bit(name) == 0)
			return compile_error(compiler->place, "names an unknown type", err);
		compiler->node->types |= type_bit(name);
	}
	if (compiler->node->types == 0)
		return compile_error(compiler->place, "names no known type", err);
	return 0;
}

static int take_enum(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_array(value))
		return compile_error(compiler->place, "must be an array", err);
	compiler->node->enumeration = value;
	return 0;
}

static int take_const(struct compiler *compiler, json_t *value, struct err *err)
{
	(void)err;
	compiler->node->constant = value;
	return 0;
}

static int take_bound(struct compiler *compiler, json_t *value, struct schema_bound *bound,
		      bool is_exclusive, struct err *err)
{
	if (!json_is_number(value))
		return compile_error(compiler->place, "must be a number", err);
	*bound = (struct schema_bound){value, is_exclusive};
	return 0;
}

static int take_minimum(struct compiler *compiler, json_t *value, struct err *err)
{
	return take_bound(compiler, value, &compiler->node->low[0], false, err);
}

static int take_exclusive_minimum(struct compiler *compiler, json_t *value, struct err *err)
{
	return take_bound(compiler, value, &compiler->node->low[1], true, err);
}

static int take_maximum(struct compiler *compiler, json_t *value, struct err *err)
{
	return take_bound(compiler, value, &compiler->node->high[0], false, err);
}

static int take_exclusive_maximum(struct compiler *compiler, json_t *value, struct err *err)
{
	return take_bound(compiler, value, &compiler->node->high[1], true, err);
}

static int take_size(struct compiler *compiler, json_t *value, size_t *ret, struct err *err)
{
	if (!schema_is_integral(value) || json_number_value(value) < 0 ||
	    json_number_value(value) > 9e15)
		return compile_error(compiler->place, "must be a count", err);
	*ret = json_is_integer(value) ? (size_t)json_integer_value(value)
				      : (size_t)json_real_value(value);
	return 0;
}

#define TAKE_SIZE(name)                                                                   \
	static int take_##name(struct compiler *compiler, json_t *value, struct err *err) \
	{                                                                                 \
		return take_size(compiler, value, &compiler->node->name, err);            \
	}
TAKE_SIZE(length_min)
TAKE_SIZE(length_max)
TAKE_SIZE(items_min)
TAKE_SIZE(items_max)
TAKE_SIZE(members_min)
TAKE_SIZE(members_max)

static int take_unique(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_boolean(value))
		return compile_error(compiler->place, "must be true or false", err);
	compiler->node->items_unique = json_is_true(value);
	return 0;
}

static int take_pattern(struct compiler *compiler, json_t *value, struct err *err)
{
	int code;
	PCRE2_SIZE at;
	/* ECMA-262: $ matches at the very end only; \C would split characters. */
	const uint32_t options =
		PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_BSUX;

	if (!json_is_string(value))
		return compile_error(compiler->place, "must be a string", err);
	compiler->node->pattern_text = json_string_value(value);
	compiler->node->pattern =
		pcre2_compile((PCRE2_SPTR)compiler->node->pattern_text,
			      json_string_length(value), options, &code, &at, NULL);
	if (compiler->node->pattern == NULL)
		return compile_error(compiler->place, "is not a pattern", err);
	return 0;
}

static int take_items(struct compiler *compiler, json_t *value, struct err *err)
{
	return node_for(compiler, value, compiler->place, &compiler->node->items, err);
}

static int take_additional(struct compiler *compiler, json_t *value, struct err *err)
{
	return node_for(compiler, value, compiler->place, &compiler->node->additional, err);
}

static int take_names(struct compiler *compiler, json_t *value, struct err *err)
{
	return node_for(compiler, value, compiler->place, &compiler->node->names, err);
}

static int take_list(struct compiler *compiler, json_t *value, struct schema_list *ret,
		     struct err *err)
{
	size_t index;
	json_t *item;

	if (json_array_size(value) == 0)
		return compile_error(compiler->place, "must be an array of schemas", err);
	ret->items = calloc(json_array_size(value), sizeof(struct schema_node *));
	if (ret->items == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	json_array_foreach(value, index, item)
	{
		int status =
			compile_child(compiler, item, NULL, index, &ret->items[index], err);

		if (status < 0)
			return status;
		ret->count++;
	}
	return 0;
}

static int take_prefix(struct compiler *compiler, json_t *value, struct err *err)
{
	return take_list(compiler, value, &compiler->node->prefix, err);
}

static int take_all(struct compiler *compiler, json_t *value, struct err *err)
{
	return take_list(compiler, value, &compiler->node->all, err);
}

static int take_any(struct compiler *compiler, json_t *value, struct err *err)
{
	return take_list(compiler, value, &compiler->node->any, err);
}

static int take_one(struct compiler *compiler, json_t *value, struct err *err)
{
	return take_list(compiler, value, &compiler->node->one, err);
}

static int take_properties(struct compiler *compiler, json_t *value, struct err *err)
{
	struct schema_node *node = compiler->node;
	const char *name;
	json_t *child;

	if (!json_is_object(value))
		return compile_error(compiler->place, "must be an object", err);
	node->properties = calloc(json_object_size(value) + 1, sizeof(*node->properties));
	if (node->properties == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	json_object_foreach(value, name, child)
	{
		struct schema_property *property = &node->properties[node->property_count];
		int status = compile_child(compiler, child, name, 0, &property->node, err);

		if (status < 0)
			return status;
		property->name = name;
		property->length = strlen(name);
		node->property_count++;
	}
	return 0;
}

static int take_required(struct compiler *compiler, json_t *value, struct err *err)
{
	size_t index;
	json_t *name;

	if (!json_is_array(value))
		return compile_error(compiler->place, "must be an array", err);
	json_array_foreach(value, index, name) if (!json_is_string(name)) return compile_error(
		compiler->place, "must hold names", err);
	compiler->node->required = value;
	return 0;
}

/* Definitions are compiled even when nothing refers to them: their typos are errors too. */
static int take_definitions(struct compiler *compiler, json_t *value, struct err *err)
{
	const struct schema_node *ignored;
	const char *name;
	json_t *child;

	if (!json_is_object(value))
		return compile_error(compiler->place, "must be an object", err);
	json_object_foreach(value, name, child)
	{
		int status = compile_child(compiler, child, name, 0, &ignored, err);

		if (status < 0)
			return status;
	}
	return 0;
}

static int hex_value(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c != '\0' ? strchr(digits, c | 0x20) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

/* One segment of a fragment pointer: percent-decoded (RFC 3986), then ~1 and ~0 (RFC 6901). */
static const char *next_segment(const char *from, char *ret, size_t size)
{
	size_t length = 0;

	for (; *from != '\0' && *from != '/'; from++) {
		char c = *from;

		if (c == '%' && hex_value(from[1]) >= 0 && hex_value(from[2]) >= 0) {
			c = (char)(hex_value(from[1]) * 16 + hex_value(from[2]));
			from += 2;
		} else if (c == '~' && (from[1] == '0' || from[1] == '1'))
			c = *++from == '0' ? '~' : '/';
		if (length + 1 >= size)
			return NULL;
		ret[length++] = c;
	}
	ret[length] = '\0';
	return from;
}

static json_t *resolve(json_t *document, const char *fragment)
{
	json_t *at = document;
	char segment[256];

	while (at != NULL && *fragment == '/') {
		fragment = next_segment(fragment + 1, segment, sizeof(segment));
		if (fragment == NULL)
			return NULL;
		if (json_is_array(at)) {
			char *end;
			unsigned long index = strtoul(segment, &end, 10);

			at = *end == '\0' ? json_array_get(at, index) : NULL;
		} else
			at = json_object_get(at, segment);
	}
	return *fragment == '\0' ? at : NULL;
}

static int take_reference(struct compiler *compiler, json_t *value, struct err *err)
{
	const char *text = json_string_value(value);
	json_t *target;

	if (text == NULL || text[0] != '#' || (text[1] != '\0' && text[1] != '/'))
		return compile_error(compiler->place, "must point into this document", err);
	target = resolve(compiler->schema->document, text + 1);
	if (target == NULL)
		return compile_error(compiler->place, "points to nothing", err);
	return node_for(compiler, target, compiler->place, &compiler->node->reference, err);
}

static int take_hint(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_string(value))
		return compile_error(compiler->place, "must be a string", err);
	compiler->node->hint = json_string_value(value);
	return 0;
}

static int take_unknown(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_object(value))
		return compile_error(compiler->place, "must be an object", err);
	compiler->node->unknown = value;
	return 0;
}

static const struct {
	const char *name;
	int (*take)(struct compiler *compiler, json_t *value, struct err *err);
} keywords[] = {
	{"type", take_type},
	{"enum", take_enum},
	{"const", take_const},
	{"minimum", take_minimum},
	{"exclusiveMinimum", take_exclusive_minimum},
	{"maximum", take_maximum},
	{"exclusiveMaximum", take_exclusive_maximum},
	{"minLength", take_length_min},
	{"maxLength", take_length_max},
	{"pattern", take_pattern},
	{"items", take_items},
	{"prefixItems", take_prefix},
	{"minItems", take_items_min},
	{"maxItems", take_items_max},
	{"uniqueItems", take_unique},
	{"properties", take_properties},
	{"required", take_required},
	{"additionalProperties", take_additional},
	{"propertyNames", take_names},
	{"minProperties", take_members_min},
	{"maxProperties", take_members_max},
	{"allOf", take_all},
	{"anyOf", take_any},
	{"oneOf", take_one},
	{"$ref", take_reference},
	{"$defs", take_definitions},
	{"$schema", take_annotation},
	{"$id", take_annotation},
	{"$comment", take_annotation},
	{"title", take_annotation},
	{"description", take_annotation},
	{"default", take_annotation},
	{"examples", take_annotation},
	{"format", take_annotation},
	{"deprecated", take_annotation},
	{"readOnly", take_annotation},
	{"writeOnly", take_annotation},
	{"x-hint", take_hint},
	{"x-unknown", take_unknown},
};

/* --- nodes -------------------------------------------------------------------------------- */

static int take_keyword(struct compiler *compiler, const char *name, json_t *value,
			struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(keywords); i++)
		if (strcmp(keywords[i].name, name) == 0)
			return keywords[i].take(compiler, value, err);
	if (strncmp(name, "x-", 2) == 0)
		return 0;
	return compile_error(compiler->place, "is an unknown keyword", err);
}

static struct schema_node *node_find(const struct schema *schema, const json_t *source)
{
	for (struct schema_node *node = schema->first; node != NULL; node = node->next)
		/* true and false are shared values in jansson, but so are their meanings. */
		if (node->source == source)
			return node;
	return NULL;
}

static int node_fill(struct compiler *compiler, struct err *err)
{
	const struct place *place = compiler->place;
	const char *name;
	json_t *value;

	if (json_is_boolean(compiler->node->source)) {
		compiler->node->is_never = json_is_false(compiler->node->source);
		return 0;
	}
	if (!json_is_object(compiler->node->source))
		return compile_error(place, "must be an object or a boolean", err);
	json_object_foreach(compiler->node->source, name, value)
	{
		struct place inner = {.parent = place, .key = name, .length = strlen(name)};
		int status;

		compiler->place = &inner;
		status = take_keyword(compiler, name, value, err);
		compiler->place = place;
		if (status < 0)
			return status;
	}
	return 0;
}

static int node_for(struct compiler *outer, json_t *source, const struct place *place,
		    const struct schema_node **ret, struct err *err)
{
	struct schema_node *node = node_find(outer->schema, source);
	struct compiler compiler = {
		.schema = outer->schema, .place = place, .depth = outer->depth + 1};

	if (node != NULL) {
		*ret = node;
		return 0;
	}
	if (compiler.depth > COMPILE_DEPTH_MAX)
		return compile_error(place, "is nested too deeply", err);
	node = calloc(1, sizeof(*node));
	if (node == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	node->source = source;
	node->length_max = SIZE_MAX;
	node->items_max = SIZE_MAX;
	node->members_max = SIZE_MAX;
	/* Registered before its members are compiled: a member may refer back to it. */
	node->next = outer->schema->first;
	outer->schema->first = node;
	compiler.node = node;
	*ret = node;
	return node_fill(&compiler, err);
}

static int schema_prepare(struct schema *schema, struct err *err)
{
	struct compiler compiler = {.schema = schema};
	const struct schema_node *root = NULL;
	int status;

	schema->match = pcre2_match_data_create(1, NULL);
	schema->match_limits = pcre2_match_context_create(NULL);
	if (schema->match == NULL || schema->match_limits == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	(void)pcre2_set_match_limit(schema->match_limits, PATTERN_MATCH_LIMIT);
	(void)pcre2_set_depth_limit(schema->match_limits, PATTERN_MATCH_LIMIT);
	(void)pcre2_set_heap_limit(schema->match_limits, PATTERN_HEAP_KIB);
	status = node_for(&compiler, schema->document, NULL, &root, err);
	schema->root = node_find(schema, schema->document);
	return status;
}

int schema_compile(json_t *document, struct schema **ret, struct err *err)
{
	struct schema *schema = calloc(1, sizeof(*schema));
	int status;

	if (schema == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	schema->document = json_incref(document);
	status = schema_prepare(schema, err);
	if (status == 0)
		*ret = schema;
	else
		schema_free(schema);
	return status;
}

void schema_free(struct schema *schema)
{
	if (schema == NULL)
		return;
	while (schema->first != NULL) {
		struct schema_node *node = schema->first;

		schema->first = node->next;
		pcre2_code_free(node->pattern);
		free(node->properties);
		free(node->prefix.items);
		free(node->all.items);
		free(node->any.items);
		free(node->one.items);
		free(node);
	}
	pcre2_match_data_free(schema->match);
	pcre2_match_context_free(schema->match_limits);
	json_decref(schema->document);
	free(schema);
}

void schema_drop(struct schema **schema)
{
	schema_free(*schema);
}
