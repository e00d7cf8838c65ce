#include <string.h>

#include "validator/code/fold.h"
#include "validator/code/names.h"

static void bind_to(struct code *code, uint32_t target, enum code_binding_kind kind,
		    uint32_t value, uint32_t id)
{
	struct code_binding *binding = code_bind(code, code->nodes[target].scope,
						 code_identifier(code, target), kind, target);

	if (binding == NULL)
		return;
	binding->node = value;
	binding->id = id;
}

/* An assignment without a declaration is of the scope that has declared it. */
static void bind_assigned(struct code *code, uint32_t target, enum code_binding_kind kind,
			  uint32_t value)
{
	uint32_t name = code_identifier(code, target);
	uint32_t scope = code->nodes[target].scope;
	struct code_binding *binding;

	while (scope != 0 && code_lookup(code, scope, name) != code_lookup(code, 0, name))
		scope = code->nodes[scope].scope;
	binding = code_bind(code, scope, name, kind, target);
	if (binding != NULL)
		binding->node = value;
}

static void bind_augmented(struct code *code, uint32_t node)
{
	uint32_t target = code_field(code, node, FIELD_LEFT);

	if (code_kind(code, target) == KIND_IDENTIFIER)
		bind_assigned(code, target, BIND_UNKNOWN, code_field(code, node, FIELD_RIGHT));
}

static void bind_member(struct code *code, uint32_t target, uint32_t value)
{
	char key[NAME_BYTES_MAX + 2];
	struct code_binding *binding;

	(void)snprintf(key, sizeof(key), ".%s",
		       code_string(code, code_identifier(code, code_field(code, target,
									  FIELD_MEMBER))));
	binding = code_bind(code, 0, code_intern_text(code, key), BIND_VALUE, target);
	if (binding != NULL)
		binding->node = value;
}

static void bind_target(struct code *code, uint32_t target, uint32_t value, const char *path);

/* The key of {key: target}, joined to the path that leads here. */
static bool extend(struct code *code, uint32_t key, const char *path, char *ret, size_t size)
{
	const struct code_value *value = code_fold(code, key);
	const char *text = code_is_text(value) ? value->text : code_text(code, key);
	size_t length = code_is_text(value) ? value->length : code_length(code, key);

	if (length > NAME_BYTES_MAX)
		return false;
	return snprintf(ret, size, "%s%s%.*s", path, path[0] != '\0' ? "." : "", (int)length,
			text) < (int)size;
}

/* {[key]: target}; deeper below other keys it is not followed. */
static void bind_computed(struct code *code, uint32_t key, uint32_t target, uint32_t value,
			  const char *path)
{
	struct code_binding *binding;

	if (code_kind(code, target) == KIND_DEFAULT_PARAMETER)
		target = code_field(code, target, FIELD_LEFT);
	if (path[0] != '\0' || code_kind(code, target) != KIND_IDENTIFIER)
		return;
	binding = code_bind(code, code->nodes[target].scope, code_identifier(code, target),
			    BIND_COMPUTED, target);
	if (binding == NULL)
		return;
	binding->node = value;
	binding->key = code_named(code, key);
}

static void bind_object_pattern(struct code *code, uint32_t pattern, uint32_t value,
				const char *path)
{
	char longer[NAME_BYTES_MAX * 2];

	for (uint32_t child = code_named(code, pattern); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		uint32_t key = code_field(code, child, FIELD_KEY);
		uint32_t target = code_field(code, child, FIELD_VALUE);

		if (code_kind(code, child) == KIND_DEFAULT_PARAMETER)
			key = target = code_field(code, child, FIELD_LEFT);
		if (code_kind(code, child) == KIND_SHORTHAND)
			key = target = child;
		if (key != CODE_NONE && code_text(code, key)[0] == '[')
			bind_computed(code, key, target, value, path);
		else if (key != CODE_NONE && target != CODE_NONE &&
			 extend(code, key, path, longer, sizeof(longer)))
			bind_target(code, target, value, longer);
	}
}

static void bind_array_pattern(struct code *code, uint32_t pattern, uint32_t value)
{
	bool has_pairs = code_kind(code, value) == KIND_LIST;
	uint32_t element = has_pairs ? code_named(code, value) : CODE_NONE;

	for (uint32_t target = code_named(code, pattern); target != CODE_NONE;
	     target = code_next_named(code, target)) {
		if (element != CODE_NONE)
			bind_target(code, target, element, "");
		else if (code_kind(code, target) == KIND_IDENTIFIER)
			bind_to(code, target, BIND_ELEMENT, value, 0);
		if (element != CODE_NONE)
			element = code_next_named(code, element);
	}
}

static void bind_target(struct code *code, uint32_t target, uint32_t value, const char *path)
{
	enum code_kind kind = code_kind(code, target);

	if (code->depth >= CODE_DEPTH_MAX)
		return;
	code->depth++;
	if (kind == KIND_DEFAULT_PARAMETER)
		bind_target(code, code_field(code, target, FIELD_LEFT), value, path);
	else if (kind == KIND_OBJECT_PATTERN)
		bind_object_pattern(code, target, value, path);
	else if (kind == KIND_ARRAY_PATTERN)
		bind_array_pattern(code, target, value);
	else if ((kind == KIND_IDENTIFIER || kind == KIND_SHORTHAND) && path[0] != '\0')
		bind_to(code, target, BIND_MEMBER, value, code_intern_text(code, path));
	else if (kind == KIND_IDENTIFIER)
		bind_to(code, target, BIND_VALUE, value, 0);
	code->depth--;
}

static void bind_assignment(struct code *code, uint32_t node)
{
	uint32_t target = code_field(code, node, FIELD_LEFT);
	uint32_t value = code_field(code, node, FIELD_RIGHT);
	enum code_kind kind = code_kind(code, target);

	if (kind == KIND_IDENTIFIER)
		bind_assigned(code, target, BIND_VALUE, value);
	else if (kind == KIND_ATTRIBUTE)
		bind_member(code, target, value);
	else
		bind_target(code, target, value, "");
}

static void bind_specifier(struct code *code, uint32_t node, uint32_t module)
{
	uint32_t name = code_field(code, node, FIELD_NAME);
	uint32_t alias = code_field(code, node, FIELD_ALIAS);
	struct code_names joined = {.count = 0};

	names_join(code, &joined, module, code_text(code, name), code_length(code, name));
	bind_to(code, alias != CODE_NONE ? alias : name, BIND_NAME, CODE_NONE,
		joined.count > 0 ? joined.ids[0] : 0);
}

static void bind_clause(struct code *code, uint32_t clause, uint32_t module)
{
	for (uint32_t child = code_named(code, clause); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		enum code_kind kind = code_kind(code, child);

		if (kind == KIND_IDENTIFIER)
			bind_to(code, child, BIND_NAME, CODE_NONE, module);
		else if (kind == KIND_NAMESPACE_IMPORT)
			bind_to(code, code_named(code, child), BIND_NAME, CODE_NONE, module);
		else if (kind == KIND_NAMED_IMPORTS)
			for (uint32_t one = code_named(code, child); one != CODE_NONE;
			     one = code_next_named(code, one))
				if (code_kind(code, one) == KIND_IMPORT_SPECIFIER)
					bind_specifier(code, one, module);
	}
}

static void bind_import(struct code *code, uint32_t node)
{
	struct code_names module = {.count = 0};

	names_add_module(code, &module, code_fold(code, code_field(code, node, FIELD_SOURCE)));
	if (module.count == 0)
		return;
	for (uint32_t child = code_named(code, node); child != CODE_NONE;
	     child = code_next_named(code, child))
		if (code_kind(code, child) == KIND_IMPORT_CLAUSE)
			bind_clause(code, child, module.ids[0]);
}

static void bind_parameters(struct code *code, uint32_t node)
{
	uint32_t after = code->nodes[node].after;

	for (uint32_t inner = node; inner < after; inner++) {
		enum code_kind kind = code_kind(code, inner);

		if (code->nodes[inner].field == FIELD_RIGHT)
			inner = code->nodes[inner].after - 1;
		else if (kind == KIND_IDENTIFIER || kind == KIND_SHORTHAND)
			bind_to(code, inner, BIND_UNKNOWN, CODE_NONE, 0);
		else if (kind == KIND_DEFAULT_PARAMETER &&
			 code_kind(code, code_field(code, inner, FIELD_LEFT)) ==
				 KIND_IDENTIFIER)
			bind_to(code, code_field(code, inner, FIELD_LEFT), BIND_VALUE,
				code_field(code, inner, FIELD_RIGHT), 0);
	}
}

static void bind_definition(struct code *code, uint32_t node)
{
	uint32_t name = code_field(code, node, FIELD_NAME);
	uint32_t parameter = code_field(code, node, FIELD_PARAMETERS);

	if (code_kind(code, name) == KIND_IDENTIFIER)
		bind_to(code, name, BIND_DEFINED, node, 0);
	if (parameter != CODE_NONE)
		bind_parameters(code, parameter);
}

/* promise.then(value => ...): what the promise is called, so is the value. */
static void bind_then(struct code *code, uint32_t node)
{
	uint32_t function = code_field(code, node, FIELD_FUNCTION);
	uint32_t callback = code_argument(code, node, 0);
	uint32_t parameter = code_field(code, callback, FIELD_PARAMETERS);
	enum code_kind kind = code_kind(code, callback);

	if (code_kind(code, function) != KIND_ATTRIBUTE ||
	    !code_is(code, code_field(code, function, FIELD_MEMBER), "then") ||
	    (kind != KIND_LAMBDA && kind != KIND_FUNCTION))
		return;
	if (code_kind(code, parameter) == KIND_PARAMETERS)
		parameter = code_named(code, parameter);
	if (parameter != CODE_NONE)
		bind_target(code, parameter, code_field(code, function, FIELD_OBJECT), "");
}

void javascript_bind(struct code *code, uint32_t node)
{
	uint32_t value;

	switch (code_kind(code, node)) {
	case KIND_DECLARATOR:
		value = code_field(code, node, FIELD_VALUE);
		if (value != CODE_NONE)
			bind_target(code, code_field(code, node, FIELD_NAME), value, "");
		break;
	case KIND_ASSIGNMENT:
		bind_assignment(code, node);
		break;
	case KIND_AUGMENTED:
		bind_augmented(code, node);
		break;
	case KIND_FOR:
		value = code_field(code, node, FIELD_LEFT);
		if (code_kind(code, value) == KIND_IDENTIFIER)
			bind_to(code, value, BIND_ELEMENT, code_field(code, node, FIELD_RIGHT),
				0);
		break;
	case KIND_IMPORT:
		bind_import(code, node);
		break;
	case KIND_CALL:
		bind_then(code, node);
		break;
	case KIND_FUNCTION:
	case KIND_LAMBDA:
	case KIND_CLASS:
		bind_definition(code, node);
		break;
	default:
		break;
	}
}

void javascript_unbound(struct code *code, uint32_t name, struct code_names *names)
{
	static const char *const globals[] = {"global", "globalThis", "window",
					      "self",	"root",	      "GLOBAL"};

	for (size_t i = 0; i < ARRAY_COUNT(globals); i++)
		if (code_is_called(code, name, globals[i])) {
			names_add_text(code, names, "globalThis");
			return;
		}
	names_add(names, name);
}

/* --- calls whose result has a name ------------------------------------------------------- */

static void call_reflect(struct code *code, uint32_t node, struct code_names *names)
{
	const struct code_value *member = code_fold(code, code_argument(code, node, 1));

	if (code_is_text(member))
		names_join_all(code, names, code_names_of(code, code_argument(code, node, 0)),
			       member->text, member->length);
}

void javascript_call(struct code *code, uint32_t node, uint32_t function,
		     struct code_names *names)
{
	const struct code_value *first = code_fold(code, code_argument(code, node, 0));

	if (code_is_called(code, function, "require") ||
	    code_is_called(code, function, "import") ||
	    code_ends_with(code, function, ".require") ||
	    code_ends_with(code, function, ".getBuiltinModule") ||
	    code_ends_with(code, function, "createRequire()"))
		names_add_module(code, names, first);
	else if (code_is_called(code, function, "Reflect.get"))
		call_reflect(code, node, names);
	else if (code_ends_with(code, function, ".bind")) {
		const char *name = code_string(code, function);

		names_add(names, code_intern(code, name, strlen(name) - 5));
	}
}
