#include "validator/code/names.h"

#include <stdio.h>
#include <string.h>

#include "validator/code/fold.h"

/* Lists by hash: one for so many nodes, within these bounds. */
#define NODES_PER_HEAD 8
#define HEADS_MIN      16
#define HEADS_MAX      4096

struct code_entry {
	struct code_entry *next;
	uint32_t scope, name;
	struct code_binding *first;
};

/* --- sets -------------------------------------------------------------------------------- */

void names_add(struct code_names *names, uint32_t id)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (names->ids[i] == id)
			return;
	if (id != 0 && names->count < CODE_NAMES_MAX)
		names->ids[names->count++] = id;
}

void names_add_all(struct code_names *names, const struct code_names *more)
{
	for (uint32_t i = 0; i < more->count; i++)
		names_add(names, more->ids[i]);
}

void names_add_text(struct code *code, struct code_names *names, const char *text)
{
	names_add(names, code_intern_text(code, text));
}

bool code_is_called(const struct code *code, uint32_t id, const char *name)
{
	return strcmp(code_string(code, id), name) == 0;
}

bool code_ends_with(const struct code *code, uint32_t id, const char *end)
{
	const char *name = code_string(code, id);
	size_t length = strlen(name);
	size_t wanted = strlen(end);

	return length >= wanted && strcmp(name + length - wanted, end) == 0;
}

/* --- joining ----------------------------------------------------------------------------- */

static bool is_unknown(const char *owner)
{
	return strncmp(owner, "local.", 6) == 0;
}

static bool join_special(struct code *code, struct code_names *names, uint32_t owner,
			 const char *member, size_t length)
{
	if (code->language != CODE_JAVASCRIPT)
		return false;
	if (code_is_called(code, owner, "globalThis")) {
		names_add(names, code_intern(code, member, length));
		return true;
	}
	/* f.call(...), m.default: what they reach is f or m. */
	if ((length == 4 && memcmp(member, "call", 4) == 0) ||
	    (length == 5 && memcmp(member, "apply", 5) == 0) ||
	    (length == 4 && memcmp(member, "bind", 4) == 0) ||
	    (length == 7 && memcmp(member, "default", 7) == 0))
		names_add(names, owner);
	return false;
}

void names_join(struct code *code, struct code_names *names, uint32_t owner, const char *member,
		size_t length)
{
	char text[NAME_BYTES_MAX * 2 + 4];
	const char *prefix = code_string(code, owner);
	int written;

	if (length == 0 || length > NAME_BYTES_MAX ||
	    join_special(code, names, owner, member, length))
		return;
	if (is_unknown(prefix) || strlen(prefix) > NAME_BYTES_MAX)
		prefix = "?";
	written = snprintf(text, sizeof(text), "%s.%.*s", prefix, (int)length, member);
	if (written > 0 && (size_t)written < sizeof(text))
		names_add(names, code_intern(code, text, (size_t)written));
}

void names_join_all(struct code *code, struct code_names *names,
		    const struct code_names *owners, const char *member, size_t length)
{
	for (uint32_t i = 0; i < owners->count; i++)
		names_join(code, names, owners->ids[i], member, length);
}

void names_add_module(struct code *code, struct code_names *names,
		      const struct code_value *value)
{
	const char *text = value->text;
	size_t length = value->length;
	const char *dot;

	if (!code_is_text(value) || length == 0 || length > NAME_BYTES_MAX)
		return;
	if (code->language == CODE_JAVASCRIPT && length > 5 && memcmp(text, "node:", 5) == 0) {
		text += 5;
		length -= 5;
	}
	names_add(names, code_intern(code, text, length));
	/* __import__("os.path") is os. */
	dot = memchr(text, '.', length);
	if (code->language == CODE_PYTHON && dot != NULL && dot != text)
		names_add(names, code_intern(code, text, (size_t)(dot - text)));
}

/* --- bindings ---------------------------------------------------------------------------- */

static struct code_entry **head_of(const struct code *code, uint32_t scope, uint32_t name)
{
	return &code->entries[(scope * 2654435761u ^ name * 40503u) & code->entry_mask];
}

static struct code_entry *find_entry(const struct code *code, uint32_t scope, uint32_t name)
{
	struct code_entry *entry = *head_of(code, scope, name);

	while (entry != NULL && (entry->scope != scope || entry->name != name))
		entry = entry->next;
	return entry;
}

static bool is_conditional(const struct code *code, uint32_t at)
{
	uint32_t scope = code->nodes[at].scope;

	for (uint32_t up = code->nodes[at].parent; up != CODE_NONE && up != scope;
	     up = code->nodes[up].parent) {
		enum code_kind kind = code_kind(code, up);

		if (kind == KIND_CONDITION || kind == KIND_WHILE || kind == KIND_FOR ||
		    kind == KIND_CATCH || kind == KIND_CONDITIONAL || kind == KIND_BOOLEAN)
			return true;
	}
	return false;
}

struct code_binding *code_bind(struct code *code, uint32_t scope, uint32_t name,
			       enum code_binding_kind kind, uint32_t at)
{
	struct code_binding *binding = code_alloc(code, sizeof(*binding));
	struct code_entry *entry = find_entry(code, scope, name);

	if (binding == NULL || name == 0)
		return NULL;
	if (entry == NULL) {
		struct code_entry **head = head_of(code, scope, name);

		entry = code_alloc(code, sizeof(*entry));
		if (entry == NULL)
			return NULL;
		*entry = (struct code_entry){.scope = scope, .name = name, .next = *head};
		*head = entry;
	}
	*binding = (struct code_binding){.next = entry->first, .node = CODE_NONE, .at = at};
	binding->kind = kind;
	binding->is_conditional = is_conditional(code, at);
	entry->first = binding;
	return binding;
}

const struct code_binding *code_lookup(const struct code *code, uint32_t scope, uint32_t name)
{
	uint32_t at = scope;

	for (;;) {
		const struct code_entry *entry = find_entry(code, at, name);

		/* The body of a class is no scope for what is inside its methods. */
		if (entry != NULL && (at == scope || code_kind(code, at) != KIND_CLASS))
			return entry->first;
		if (at == 0)
			return NULL;
		at = code->nodes[at].scope;
	}
}

int code_bind_all(struct code *code, struct err *err)
{
	static void (*const binders[])(struct code *, uint32_t) = {python_bind, javascript_bind,
								   shell_bind};

	uint32_t heads = HEADS_MIN;

	while (heads < HEADS_MAX && heads < code->count / NODES_PER_HEAD)
		heads *= 2;
	code->entries = code_alloc(code, heads * sizeof(struct code_entry *));
	if (code->entries == NULL)
		return err_set(err, ENOMEM, "memory for names");
	memset(code->entries, 0, heads * sizeof(struct code_entry *));
	code->entry_mask = heads - 1;
	for (uint32_t node = 0; node < code->count && code_go(code); node++)
		binders[code->language](code, node);
	return 0;
}

/* --- literals ---------------------------------------------------------------------------- */

uint32_t code_literal(struct code *code, uint32_t node)
{
	for (int i = 0; i < 16 && node != CODE_NONE; i++) {
		enum code_kind kind = code_kind(code, node);
		const struct code_binding *binding;

		if (kind == KIND_PARENTHESES || kind == KIND_AWAIT) {
			node = code_named(code, node);
			continue;
		}
		if (kind != KIND_IDENTIFIER)
			return node;
		binding =
			code_lookup(code, code->nodes[node].scope, code_identifier(code, node));
		if (binding == NULL || binding->next != NULL || binding->kind != BIND_VALUE)
			return CODE_NONE;
		node = binding->node;
	}
	return CODE_NONE;
}

static bool is_key(struct code *code, uint32_t key, const struct code_value *wanted)
{
	const struct code_value *value = code_fold(code, key);

	if (code_kind(code, key) == KIND_MEMBER_NAME)
		return code_is_text(wanted) && code_length(code, key) == wanted->length &&
		       memcmp(code_text(code, key), wanted->text, wanted->length) == 0;
	if (code_is_text(value) && code_is_text(wanted))
		return value->length == wanted->length &&
		       memcmp(value->text, wanted->text, value->length) == 0;
	return value->kind == VALUE_NUMBER && wanted->kind == VALUE_NUMBER &&
	       value->number == wanted->number;
}

static uint32_t object_of(const struct code *code, uint32_t node)
{
	return code_field(code, node,
			  code->language == CODE_PYTHON ? FIELD_VALUE : FIELD_OBJECT);
}

uint32_t code_element(struct code *code, uint32_t node)
{
	uint32_t literal = code_literal(code, object_of(code, node));
	const struct code_value *key = code_fold(code, code_field(code, node, FIELD_INDEX));
	enum code_kind kind = code_kind(code, literal);
	uint32_t child = CODE_NONE;
	uint32_t left = key->number > 0 && key->number < UINT32_MAX ? (uint32_t)key->number : 0;

	if (kind == KIND_DICTIONARY) {
		for (child = code_named(code, literal); child != CODE_NONE;
		     child = code_next_named(code, child))
			if (code_kind(code, child) == KIND_PAIR &&
			    is_key(code, code_field(code, child, FIELD_KEY), key))
				return code_field(code, child, FIELD_VALUE);
	} else if ((kind == KIND_LIST || kind == KIND_TUPLE) && key->kind == VALUE_NUMBER) {
		for (child = code_named(code, literal); child != CODE_NONE && left > 0; left--)
			child = code_next_named(code, child);
	}
	return child;
}

/* --- resolving --------------------------------------------------------------------------- */

static const struct code_names nothing = {.count = 0};

static void add_names_of(struct code *code, struct code_names *names, uint32_t node)
{
	names_add_all(names, code_names_of(code, node));
}

static void add_elements(struct code *code, struct code_names *names, uint32_t node)
{
	uint32_t literal = code_literal(code, node);
	enum code_kind kind = code_kind(code, literal);

	if (kind != KIND_LIST && kind != KIND_TUPLE && kind != KIND_DICTIONARY)
		return;
	for (uint32_t child = code_named(code, literal);
	     child != CODE_NONE && names->count < CODE_NAMES_MAX && code_go(code);
	     child = code_next_named(code, child))
		add_names_of(code, names,
			     code_kind(code, child) == KIND_PAIR
				     ? code_field(code, child, FIELD_VALUE)
				     : child);
}

/* A dotted path below an expression: {a: {b: c}} = x makes c "x.a.b". */
static void add_member(struct code *code, struct code_names *names,
		       const struct code_binding *binding)
{
	const char *path = code_string(code, binding->id);

	names_join_all(code, names, code_names_of(code, binding->node), path, strlen(path));
}

/* Folded when it is asked for: while names are bound not all are known. */
static void add_computed(struct code *code, struct code_names *names,
			 const struct code_binding *binding)
{
	const struct code_value *key = code_fold(code, binding->key);

	if (code_is_text(key))
		names_join_all(code, names, code_names_of(code, binding->node), key->text,
			       key->length);
}

static void add_binding(struct code *code, struct code_names *names,
			const struct code_binding *binding)
{
	switch (binding->kind) {
	case BIND_NAME:
		names_add(names, binding->id);
		break;
	case BIND_VALUE:
		add_names_of(code, names, binding->node);
		break;
	case BIND_MEMBER:
		add_member(code, names, binding);
		break;
	case BIND_COMPUTED:
		add_computed(code, names, binding);
		break;
	case BIND_ELEMENT:
		add_elements(code, names, binding->node);
		break;
	case BIND_DEFINED:
	case BIND_UNKNOWN:
		break;
	}
}

static void add_unbound(struct code *code, uint32_t name, struct code_names *names)
{
	if (code->language == CODE_PYTHON)
		python_unbound(code, name, names);
	else
		javascript_unbound(code, name, names);
}

static void add_local(struct code *code, struct code_names *names, uint32_t name)
{
	char text[NAME_BYTES_MAX + 8];

	(void)snprintf(text, sizeof(text), "local.%.*s", NAME_BYTES_MAX,
		       code_string(code, name));
	names_add_text(code, names, text);
}

/* A name bound under a condition, or after its use in the same scope, may still be the builtin.
 */
static void resolve_identifier(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t name = code_identifier(code, node);
	const struct code_binding *binding = code_lookup(code, code->nodes[node].scope, name);
	bool is_sure = false;

	if (name == 0)
		return;
	for (const struct code_binding *one = binding; one != NULL; one = one->next) {
		add_binding(code, names, one);
		is_sure |= !one->is_conditional &&
			   (one->at <= node ||
			    code->nodes[one->at].scope != code->nodes[node].scope);
	}
	if (!is_sure)
		add_unbound(code, name, names);
	if (names->count == 0)
		add_local(code, names, name);
}

/* Also what the file has stored under that member of anything: self.run = os.system. */
static void resolve_attribute(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t member = code_field(code, node, FIELD_MEMBER);
	const struct code_names *owners =
		code_names_of(code, code_field(code, node, FIELD_OBJECT));
	uint32_t name = code_identifier(code, member);
	const char *text = code_string(code, name);
	char key[NAME_BYTES_MAX + 2];
	const struct code_binding *binding = NULL;

	if (name == 0)
		return;
	(void)snprintf(key, sizeof(key), ".%s", text);
	for (binding = code_lookup(code, 0, code_intern_text(code, key)); binding != NULL;
	     binding = binding->next)
		add_binding(code, names, binding);
	if (owners->count == 0) {
		names_join(code, names, code_intern_text(code, "?"), text, strlen(text));
		return;
	}
	names_join_all(code, names, owners, text, strlen(text));
}

static void subscript_name(struct code *code, struct code_names *names, uint32_t owner,
			   const struct code_value *key)
{
	static const char dictionary[] = ".__dict__";
	const char *name = code_string(code, owner);
	size_t length = strlen(name);

	if (code->language == CODE_JAVASCRIPT)
		names_join(code, names, owner, key->text, key->length);
	else if (strcmp(name, "sys.modules") == 0)
		names_add_module(code, names, key);
	else if (strcmp(name, "builtins") == 0 || strcmp(name, "builtins.__dict__") == 0)
		names_join(code, names, code_intern_text(code, "builtins"), key->text,
			   key->length);
	else if (code_ends_with(code, owner, dictionary)) {
		uint32_t module = code_intern(code, name, length - (sizeof(dictionary) - 1));

		names_join(code, names, module, key->text, key->length);
	} else if (strcmp(name, "builtins.globals()") == 0 ||
		   strcmp(name, "builtins.locals()") == 0 ||
		   strcmp(name, "builtins.vars()") == 0) {
		uint32_t wanted = code_intern(code, key->text, key->length);
		const struct code_binding *binding = code_lookup(code, 0, wanted);

		if (binding == NULL)
			add_unbound(code, wanted, names);
		for (; binding != NULL; binding = binding->next)
			add_binding(code, names, binding);
	}
}

static void resolve_subscript(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t object = object_of(code, node);
	uint32_t index = code_field(code, node, FIELD_INDEX);
	const struct code_value *key = code_fold(code, index);
	const struct code_names *owners = code_names_of(code, object);
	uint32_t element = code_element(code, node);

	if (element != CODE_NONE)
		add_names_of(code, names, element);
	else if (key->kind == VALUE_NONE)
		add_elements(code, names, object);
	if (!code_is_text(key)) /* a.b[0] stays a part of the chain */
		return;
	for (uint32_t i = 0; i < owners->count; i++)
		subscript_name(code, names, owners->ids[i], key);
	if (owners->count == 0 && code->language == CODE_JAVASCRIPT)
		names_join(code, names, code_intern_text(code, "?"), key->text, key->length);
}

/* --- calls ------------------------------------------------------------------------------- */

uint32_t code_argument(const struct code *code, uint32_t call, uint32_t nth)
{
	uint32_t list = code_field(code, call, FIELD_ARGUMENTS);
	uint32_t argument = code_named(code, list);

	/* f(x for x in y): the one argument stands in place of the list. */
	if (code_kind(code, list) == KIND_COMPREHENSION)
		return nth == 0 ? list : CODE_NONE;
	while (argument != CODE_NONE &&
	       (code_kind(code, argument) == KIND_KEYWORD_ARGUMENT || nth-- > 0))
		argument = code_next_named(code, argument);
	return argument;
}

static void add_returns(struct code *code, struct code_names *names, uint32_t function)
{
	uint32_t body = code_field(code, function, FIELD_BODY);

	if (body == CODE_NONE)
		return;
	if (code_kind(code, function) == KIND_LAMBDA)
		add_names_of(code, names, body);
	for (uint32_t node = body; node < code->nodes[body].after && code_go(code); node++)
		if (code_kind(code, node) == KIND_RETURN && code->nodes[node].scope == function)
			add_names_of(code, names, code_named(code, node));
}

/* The function behind a name, a parenthesis or nothing. */
static uint32_t defined_function(struct code *code, uint32_t node)
{
	const struct code_binding *binding;

	while (code_kind(code, node) == KIND_PARENTHESES)
		node = code_named(code, node);
	if (code_kind(code, node) != KIND_IDENTIFIER)
		return node;
	binding = code_lookup(code, code->nodes[node].scope, code_identifier(code, node));
	return binding == NULL ? CODE_NONE : binding->node;
}

static void resolve_call(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t function = code_field(code, node, FIELD_FUNCTION);
	const struct code_names *called = code_names_of(code, function);
	uint32_t defined = defined_function(code, function);
	enum code_kind kind = code_kind(code, defined);
	char text[NAME_BYTES_MAX + 4];

	if (kind == KIND_LAMBDA || kind == KIND_FUNCTION)
		add_returns(code, names, defined);
	for (uint32_t i = 0; i < called->count; i++) {
		const char *name = code_string(code, called->ids[i]);

		if (code->language == CODE_PYTHON)
			python_call(code, node, called->ids[i], names);
		else
			javascript_call(code, node, called->ids[i], names);
		if (name[0] == '?' || is_unknown(name) || strlen(name) > NAME_BYTES_MAX)
			continue;
		(void)snprintf(text, sizeof(text), "%s()", name);
		names_add_text(code, names, text);
	}
}

/* --- the rest ---------------------------------------------------------------------------- */

static void resolve_new(struct code *code, uint32_t node, struct code_names *names)
{
	add_names_of(code, names, code_field(code, node, FIELD_FUNCTION));
}

static void resolve_last(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t last = CODE_NONE;

	for (uint32_t child = code_named(code, node); child != CODE_NONE;
	     child = code_next_named(code, child))
		last = child;
	add_names_of(code, names, last);
}

static void resolve_first(struct code *code, uint32_t node, struct code_names *names)
{
	add_names_of(code, names, code_named(code, node));
}

/* a or b, a if c else d: each operand, the condition too, which does no harm. */
static void resolve_any(struct code *code, uint32_t node, struct code_names *names)
{
	for (uint32_t child = code_named(code, node); child != CODE_NONE;
	     child = code_next_named(code, child))
		add_names_of(code, names, child);
}

static void resolve_value(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t value = code_field(code, node, FIELD_VALUE);

	add_names_of(code, names,
		     value != CODE_NONE ? value : code_field(code, node, FIELD_RIGHT));
}

/* JavaScript's || and ?? are binary; an arithmetic result has no name. */
static void resolve_binary(struct code *code, uint32_t node, struct code_names *names)
{
	uint32_t operator= code_field(code, node, FIELD_OPERATOR);

	if (code_is(code, operator, "||") || code_is(code, operator, "&&") ||
	    code_is(code, operator, "??"))
		resolve_any(code, node, names);
}

static void resolve_dotted(struct code *code, uint32_t node, struct code_names *names)
{
	names_add(names, code_intern(code, code_text(code, node), code_length(code, node)));
}

static void resolve_this(struct code *code, uint32_t node, struct code_names *names)
{
	(void)node;
	names_add_text(code, names, "this");
}

typedef void resolver(struct code *code, uint32_t node, struct code_names *names);

static resolver *const resolvers[KIND_MAX] = {
	[KIND_ASSIGNMENT] = resolve_value,
	[KIND_ATTRIBUTE] = resolve_attribute,
	[KIND_AWAIT] = resolve_first,
	[KIND_BINARY] = resolve_binary,
	[KIND_BOOLEAN] = resolve_any,
	[KIND_CALL] = resolve_call,
	[KIND_COMMAND] = shell_command,
	[KIND_COMMAND_NAME] = shell_command,
	[KIND_CONDITIONAL] = resolve_any,
	[KIND_DOTTED_NAME] = resolve_dotted,
	[KIND_IDENTIFIER] = resolve_identifier,
	[KIND_NAMED_EXPRESSION] = resolve_value,
	[KIND_NEW] = resolve_new,
	[KIND_PARENTHESES] = resolve_last,
	[KIND_SEQUENCE] = resolve_last,
	[KIND_SHORTHAND] = resolve_identifier,
	[KIND_SUBSCRIPT] = resolve_subscript,
	[KIND_THIS] = resolve_this,
};

static const struct code_names *keep(struct code *code, const struct code_names *names)
{
	struct code_names *kept = names->count > 0 ? code_alloc(code, sizeof(*kept)) : NULL;

	if (kept == NULL)
		return &nothing;
	*kept = *names;
	return kept;
}

const struct code_names *code_names_of(struct code *code, uint32_t node)
{
	resolver *resolve = node == CODE_NONE ? NULL : resolvers[code_kind(code, node)];
	struct code_names names = {.count = 0};

	if (resolve == NULL)
		return &nothing;
	if (code->memo_names[node] != NULL)
		return code->memo_names[node];
	if (code->depth >= CODE_DEPTH_MAX || !code_go(code))
		return &nothing;
	code->memo_names[node] = &nothing; /* to who asks while it is being found out */
	code->depth++;
	resolve(code, node, &names);
	code->depth--;
	code->memo_names[node] = keep(code, &names);
	return code->memo_names[node];
}
