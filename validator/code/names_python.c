#include <string.h>

#include "validator/code/fold.h"
#include "validator/code/names.h"

/* --- bindings ---------------------------------------------------------------------------- */

/* `global x` makes x the file's; the statement comes before every use. */
static uint32_t scope_of(struct code *code, uint32_t at, uint32_t name)
{
	uint32_t scope = code->nodes[at].scope;
	char key[NAME_BYTES_MAX + 8];

	if (scope == 0 || name == 0)
		return scope;
	(void)snprintf(key, sizeof(key), "global %s", code_string(code, name));
	return code_lookup(code, scope, code_intern_text(code, key)) != NULL ? 0 : scope;
}

static void bind_global(struct code *code, uint32_t node)
{
	char key[NAME_BYTES_MAX + 8];

	for (uint32_t child = code_named(code, node); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		(void)snprintf(key, sizeof(key), "global %s",
			       code_string(code, code_identifier(code, child)));
		(void)code_bind(code, code->nodes[node].scope, code_intern_text(code, key),
				BIND_UNKNOWN, child);
	}
}

static void bind_to(struct code *code, uint32_t target, enum code_binding_kind kind,
		    uint32_t value)
{
	uint32_t name = code_identifier(code, target);
	struct code_binding *binding =
		code_bind(code, scope_of(code, target, name), name, kind, target);

	if (binding != NULL)
		binding->node = value;
}

/* self.run = f, os.environ = x: of any object. */
static void bind_member(struct code *code, uint32_t target, uint32_t value)
{
	uint32_t member = code_field(code, target, FIELD_MEMBER);
	char key[NAME_BYTES_MAX + 2];
	struct code_binding *binding;

	(void)snprintf(key, sizeof(key), ".%s",
		       code_string(code, code_identifier(code, member)));
	binding = code_bind(code, 0, code_intern_text(code, key), BIND_VALUE, target);
	if (binding != NULL)
		binding->node = value;
}

static void bind_target(struct code *code, uint32_t target, enum code_binding_kind kind,
			uint32_t value);

/* a, b = c, d pairs; without pairs any of the value's elements. */
static void bind_pattern(struct code *code, uint32_t pattern, enum code_binding_kind kind,
			 uint32_t value)
{
	enum code_kind literal = code_kind(code, value);
	bool has_pairs = kind == BIND_VALUE && (literal == KIND_TUPLE || literal == KIND_LIST);
	uint32_t element = has_pairs ? code_named(code, value) : CODE_NONE;

	for (uint32_t target = code_named(code, pattern); target != CODE_NONE;
	     target = code_next_named(code, target)) {
		if (has_pairs && element != CODE_NONE) {
			bind_target(code, target, BIND_VALUE, element);
			element = code_next_named(code, element);
		} else
			bind_target(code, target, BIND_ELEMENT, value);
	}
}

static void bind_target(struct code *code, uint32_t target, enum code_binding_kind kind,
			uint32_t value)
{
	enum code_kind shape = code_kind(code, target);

	if (shape == KIND_IDENTIFIER)
		bind_to(code, target, kind, value);
	else if (shape == KIND_ATTRIBUTE && kind == BIND_VALUE)
		bind_member(code, target, value);
	else if ((shape == KIND_PATTERN_LIST || shape == KIND_TUPLE || shape == KIND_LIST) &&
		 code->depth < CODE_DEPTH_MAX) {
		code->depth++;
		bind_pattern(code, target, kind, value);
		code->depth--;
	} else if (shape == KIND_PARENTHESES)
		bind_to(code, code_named(code, target), kind, value);
}

static void bind_assignment(struct code *code, uint32_t node)
{
	uint32_t value = code_field(code, node, FIELD_RIGHT);

	/* a = b = value: the value is at the end. */
	for (int i = 0; i < 64 && code_kind(code, value) == KIND_ASSIGNMENT; i++)
		value = code_field(code, value, FIELD_RIGHT);
	if (value != CODE_NONE)
		bind_target(code, code_field(code, node, FIELD_LEFT), BIND_VALUE, value);
}

/* import a.b binds a; import a.b as c binds c. */
static void bind_import(struct code *code, uint32_t node)
{
	for (uint32_t child = code_named(code, node); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		bool has_alias = code_kind(code, child) == KIND_ALIASED_IMPORT;
		uint32_t path = has_alias ? code_field(code, child, FIELD_NAME) : child;
		uint32_t bound = has_alias ? code_field(code, child, FIELD_ALIAS)
					   : code_named(code, child);
		uint32_t called = has_alias ? path : bound;
		uint32_t name = code_identifier(code, bound);
		struct code_binding *binding =
			code_bind(code, scope_of(code, child, name), name, BIND_NAME, child);

		if (binding != NULL)
			binding->id = code_identifier(code, called);
	}
}

static void bind_imported(struct code *code, uint32_t child, uint32_t module)
{
	bool has_alias = code_kind(code, child) == KIND_ALIASED_IMPORT;
	uint32_t path = has_alias ? code_field(code, child, FIELD_NAME) : child;
	uint32_t name =
		code_identifier(code, has_alias ? code_field(code, child, FIELD_ALIAS) : child);
	struct code_names joined = {.count = 0};
	struct code_binding *binding =
		code_bind(code, scope_of(code, child, name), name, BIND_NAME, child);
	const char *member = code_string(code, code_identifier(code, path));

	names_join(code, &joined, module, member, strlen(member));
	if (binding != NULL && joined.count > 0)
		binding->id = joined.ids[0];
}

static void bind_import_from(struct code *code, uint32_t node)
{
	uint32_t module_node = code_field(code, node, FIELD_MODULE_NAME);
	uint32_t module = code_identifier(code, module_node);

	for (uint32_t child = code_named(code, node); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		if (code_kind(code, child) == KIND_WILDCARD)
			names_add(&code->stars, module);
		else if (child != module_node)
			bind_imported(code, child, module);
	}
}

static void bind_definition(struct code *code, uint32_t node)
{
	uint32_t target = code_field(code, node, FIELD_NAME);

	if (target != CODE_NONE)
		bind_to(code, target, BIND_DEFINED, node);
}

static void bind_parameter(struct code *code, uint32_t child)
{
	switch (code_kind(code, child)) {
	case KIND_IDENTIFIER:
		bind_to(code, child, BIND_UNKNOWN, CODE_NONE);
		break;
	case KIND_DEFAULT_PARAMETER:
		/* Twice: what it is without an argument, and anything. */
		bind_to(code, code_field(code, child, FIELD_NAME), BIND_UNKNOWN, CODE_NONE);
		bind_to(code, code_field(code, child, FIELD_NAME), BIND_VALUE,
			code_field(code, child, FIELD_VALUE));
		break;
	default: /* *args, x: int */
		if (code_kind(code, code_named(code, child)) == KIND_IDENTIFIER)
			bind_to(code, code_named(code, child), BIND_UNKNOWN, CODE_NONE);
		break;
	}
}

/* with f() as x, except E as x. */
static void bind_as(struct code *code, uint32_t node)
{
	uint32_t value = code_named(code, node);
	uint32_t target = code_field(code, node, FIELD_ALIAS);

	if (target != CODE_NONE && code_named(code, target) != CODE_NONE)
		target = code_named(code, target);
	if (target != CODE_NONE && code_kind(code, target) == KIND_IDENTIFIER)
		bind_to(code, target, BIND_VALUE, value);
}

void python_bind(struct code *code, uint32_t node)
{
	switch (code_kind(code, node)) {
	case KIND_ASSIGNMENT:
		bind_assignment(code, node);
		break;
	case KIND_AUGMENTED:
		bind_target(code, code_field(code, node, FIELD_LEFT), BIND_UNKNOWN,
			    code_field(code, node, FIELD_RIGHT));
		break;
	case KIND_NAMED_EXPRESSION:
		bind_target(code, code_field(code, node, FIELD_NAME), BIND_VALUE,
			    code_field(code, node, FIELD_VALUE));
		break;
	case KIND_FOR:
	case KIND_FOR_IN:
		bind_target(code, code_field(code, node, FIELD_LEFT), BIND_ELEMENT,
			    code_field(code, node, FIELD_RIGHT));
		break;
	case KIND_IMPORT:
		bind_import(code, node);
		break;
	case KIND_IMPORT_FROM:
		bind_import_from(code, node);
		break;
	case KIND_FUNCTION:
	case KIND_CLASS:
		bind_definition(code, node);
		break;
	case KIND_PARAMETERS:
		for (uint32_t child = code_named(code, node); child != CODE_NONE;
		     child = code_next_named(code, child))
			bind_parameter(code, child);
		break;
	case KIND_AS_PATTERN:
		bind_as(code, node);
		break;
	case KIND_GLOBAL:
		bind_global(code, node);
		break;
	default:
		break;
	}
}

/* --- builtins ---------------------------------------------------------------------------- */

static const char *const builtins[] = {
	"__build_class__",
	"__import__",
	"abs",
	"aiter",
	"all",
	"anext",
	"any",
	"ascii",
	"bin",
	"bool",
	"breakpoint",
	"bytearray",
	"bytes",
	"callable",
	"chr",
	"classmethod",
	"compile",
	"complex",
	"copyright",
	"credits",
	"delattr",
	"dict",
	"dir",
	"divmod",
	"enumerate",
	"eval",
	"exec",
	"exit",
	"filter",
	"float",
	"format",
	"frozenset",
	"getattr",
	"globals",
	"hasattr",
	"hash",
	"help",
	"hex",
	"id",
	"input",
	"int",
	"isinstance",
	"issubclass",
	"iter",
	"len",
	"license",
	"list",
	"locals",
	"map",
	"max",
	"memoryview",
	"min",
	"next",
	"object",
	"oct",
	"open",
	"ord",
	"pow",
	"print",
	"property",
	"quit",
	"range",
	"repr",
	"reversed",
	"round",
	"set",
	"setattr",
	"slice",
	"sorted",
	"staticmethod",
	"str",
	"sum",
	"super",
	"tuple",
	"type",
	"vars",
	"zip",
};

void python_unbound(struct code *code, uint32_t name, struct code_names *names)
{
	const char *text = code_string(code, name);
	bool is_builtin = false;

	if (strcmp(text, "__builtins__") == 0) {
		names_add_text(code, names, "builtins");
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(builtins) && !is_builtin; i++)
		is_builtin = strcmp(builtins[i], text) == 0;
	if (is_builtin)
		names_join(code, names, code_intern_text(code, "builtins"), text, strlen(text));
	else
		names_add(names, name);
	for (uint32_t i = 0; i < code->stars.count; i++)
		names_join(code, names, code->stars.ids[i], text, strlen(text));
}

/* --- calls whose result has a name ------------------------------------------------------- */

static void call_import(struct code *code, uint32_t node, struct code_names *names)
{
	names_add_module(code, names, code_fold(code, code_argument(code, node, 0)));
}

static void call_getattr(struct code *code, uint32_t node, struct code_names *names)
{
	const struct code_value *member = code_fold(code, code_argument(code, node, 1));
	const struct code_names *owners = code_names_of(code, code_argument(code, node, 0));

	if (!code_is_text(member))
		return;
	if (owners->count == 0)
		names_join(code, names, code_intern_text(code, "?"), member->text,
			   member->length);
	names_join_all(code, names, owners, member->text, member->length);
}

/* x.__getattribute__("n"), also object.__getattribute__(x, "n"). */
static void call_getattribute(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t function = code_field(code, node, FIELD_FUNCTION);
	const struct code_value *member = code_fold(code, code_argument(code, node, 0));

	if (code_argument(code, node, 1) != CODE_NONE)
		call_getattr(code, node, names);
	else if (code_is_text(member))
		names_join_all(code, names,
			       code_names_of(code, code_field(code, function, FIELD_OBJECT)),
			       member->text, member->length);
}

static void call_vars(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t argument = code_argument(code, node, 0);

	if (argument != CODE_NONE)
		names_join_all(code, names, code_names_of(code, argument), "__dict__", 8);
}

static void call_first(struct code *code, uint32_t node, struct code_names *names)
{
	names_add_all(names, code_names_of(code, code_argument(code, node, 0)));
}

/* operator.attrgetter("system")(os): the outer call's argument. */
static void call_getter(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t inner = code_field(code, node, FIELD_FUNCTION);
	const struct code_value *member;

	while (code_kind(code, inner) == KIND_PARENTHESES)
		inner = code_named(code, inner);
	if (code_kind(code, inner) != KIND_CALL)
		return;
	member = code_fold(code, code_argument(code, inner, 0));
	if (code_is_text(member))
		names_join_all(code, names, code_names_of(code, code_argument(code, node, 0)),
			       member->text, member->length);
}

/* sys.modules.get("os"), vars(os).get("system") */
static void call_get(struct code *code, uint32_t node, uint32_t function,
		     struct code_names *names)
{
	const char *name = code_string(code, function);
	const struct code_value *key = code_fold(code, code_argument(code, node, 0));
	size_t length = strlen(name);

	if (!code_is_text(key))
		return;
	if (strncmp(name, "sys.modules.", 12) == 0)
		names_add_module(code, names, key);
	else if (length > 13 && strcmp(name + length - 13, ".__dict__.get") == 0)
		names_join(code, names, code_intern(code, name, length - 13), key->text,
			   key->length);
}

void python_call(struct code *code, uint32_t node, uint32_t function, struct code_names *names)
{
	static const struct {
		const char *name;
		void (*call)(struct code *code, uint32_t node, struct code_names *names);
	} calls[] = {
		{"builtins.__import__", call_import},
		{"importlib.import_module", call_import},
		{"importlib.__import__", call_import},
		{"importlib.reload", call_first},
		{"importlib._bootstrap._gcd_import", call_import},
		{"pydoc.locate", call_import},
		{"builtins.getattr", call_getattr},
		{"inspect.getattr_static", call_getattr},
		{"builtins.vars", call_vars},
		{"functools.partial", call_first},
		{"functools.wraps", call_first},
		{"builtins.staticmethod", call_first},
		{"operator.attrgetter()", call_getter},
	};

	for (size_t i = 0; i < ARRAY_COUNT(calls); i++)
		if (code_is_called(code, function, calls[i].name))
			calls[i].call(code, node, names);
	if (code_ends_with(code, function, ".__getattribute__"))
		call_getattribute(code, node, names);
	if (code_ends_with(code, function, ".get") ||
	    code_ends_with(code, function, ".__getitem__"))
		call_get(code, node, function, names);
}
