/* The validation vocabulary: assertions about one value. */
#include <string.h>

#include "validator/schema_check.h"

/* --- compiling --------------------------------------------------------------------------- */

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

	compiler->node->parts |= PART_GENERAL;
	if (json_is_string(value))
		compiler->node->types = type_bit(value);
	json_array_foreach(value, index, name)
	{
		if (type_bit(name) == 0)
			return compile_error(compiler, NULL, "names an unknown type", err);
		compiler->node->types |= type_bit(name);
	}
	if (compiler->node->types == 0)
		return compile_error(compiler, NULL, "names no known type", err);
	return 0;
}

static int take_enum(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_array(value))
		return compile_error(compiler, NULL, "must be an array", err);
	compiler->node->parts |= PART_GENERAL;
	compiler->node->enumeration = value;
	return 0;
}

static int take_const(struct compiler *compiler, json_t *value, struct err *err)
{
	(void)err;
	compiler->node->parts |= PART_GENERAL;
	compiler->node->constant = value;
	return 0;
}

static int take_bound(struct compiler *compiler, json_t *value, unsigned which, struct err *err)
{
	if (!json_is_number(value))
		return compile_error(compiler, NULL, "must be a number", err);
	compiler->node->parts |= PART_NUMBER;
	compiler->node->bounds[which] = value;
	return 0;
}

#define TAKE_BOUND(name, which)                                                           \
	static int take_##name(struct compiler *compiler, json_t *value, struct err *err) \
	{                                                                                 \
		return take_bound(compiler, value, which, err);                           \
	}
TAKE_BOUND(minimum, 0)
TAKE_BOUND(exclusive_minimum, 1)
TAKE_BOUND(maximum, 2)
TAKE_BOUND(exclusive_maximum, 3)

static int take_multiple(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_number(value) || !(json_number_value(value) > 0))
		return compile_error(compiler, NULL, "must be a number above 0", err);
	compiler->node->parts |= PART_NUMBER;
	compiler->node->multiple = value;
	compiler->node->divisor = value_decimal(value);
	return 0;
}

#define TAKE_SIZE(name, part)                                                             \
	static int take_##name(struct compiler *compiler, json_t *value, struct err *err) \
	{                                                                                 \
		compiler->node->parts |= (part);                                          \
		return value_count(value, &compiler->node->name)                          \
			       ? 0                                                        \
			       : compile_error(compiler, NULL, "must be a count", err);   \
	}
TAKE_SIZE(length_min, PART_STRING)
TAKE_SIZE(length_max, PART_STRING)
TAKE_SIZE(items_min, PART_ARRAY)
TAKE_SIZE(items_max, PART_ARRAY)
TAKE_SIZE(contains_min, PART_ARRAY)
TAKE_SIZE(contains_max, PART_ARRAY)
TAKE_SIZE(members_min, PART_OBJECT)
TAKE_SIZE(members_max, PART_OBJECT)

static int take_unique(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_boolean(value))
		return compile_error(compiler, NULL, "must be true or false", err);
	compiler->node->parts |= PART_ARRAY;
	compiler->node->items_unique = json_is_true(value);
	return 0;
}

static int take_pattern(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!json_is_string(value))
		return compile_error(compiler, NULL, "must be a string", err);
	compiler->node->parts |= PART_STRING;
	return compile_pattern(compiler, json_string_value(value), json_string_length(value),
			       &compiler->node->pattern, err);
}

static bool is_names(const json_t *value)
{
	size_t index;
	json_t *name;

	json_array_foreach(value, index, name) if (!json_is_string(name)) return false;
	return json_is_array(value);
}

static int take_required(struct compiler *compiler, json_t *value, struct err *err)
{
	if (!is_names(value))
		return compile_error(compiler, NULL, "must be an array of names", err);
	compiler->node->parts |= PART_OBJECT;
	compiler->node->required = value;
	return 0;
}

static int take_dependent(struct compiler *compiler, json_t *value, struct err *err)
{
	struct schema_node *node = compiler->node;
	const char *name;
	size_t length;
	json_t *names;
	int status = compile_dependencies_room(compiler, value, err);

	if (status < 0)
		return status;
	node->parts |= PART_OBJECT;
	json_object_keylen_foreach(value, name, length, names)
	{
		if (!is_names(names))
			return compile_error(compiler, name, "must be an array of names", err);
		node->dependencies[node->dependency_count++] = (struct schema_dependency){
			.name = name, .length = length, .required = names};
	}
	return 0;
}

const struct schema_keyword schema_validation_keywords[] = {
	{"type", VOCABULARY_VALIDATION, take_type},
	{"enum", VOCABULARY_VALIDATION, take_enum},
	{"const", VOCABULARY_VALIDATION, take_const},
	{"minimum", VOCABULARY_VALIDATION, take_minimum},
	{"exclusiveMinimum", VOCABULARY_VALIDATION, take_exclusive_minimum},
	{"maximum", VOCABULARY_VALIDATION, take_maximum},
	{"exclusiveMaximum", VOCABULARY_VALIDATION, take_exclusive_maximum},
	{"multipleOf", VOCABULARY_VALIDATION, take_multiple},
	{"minLength", VOCABULARY_VALIDATION, take_length_min},
	{"maxLength", VOCABULARY_VALIDATION, take_length_max},
	{"pattern", VOCABULARY_VALIDATION, take_pattern},
	{"minItems", VOCABULARY_VALIDATION, take_items_min},
	{"maxItems", VOCABULARY_VALIDATION, take_items_max},
	{"uniqueItems", VOCABULARY_VALIDATION, take_unique},
	{"minContains", VOCABULARY_VALIDATION, take_contains_min},
	{"maxContains", VOCABULARY_VALIDATION, take_contains_max},
	{"minProperties", VOCABULARY_VALIDATION, take_members_min},
	{"maxProperties", VOCABULARY_VALIDATION, take_members_max},
	{"required", VOCABULARY_VALIDATION, take_required},
	{"dependentRequired", VOCABULARY_VALIDATION, take_dependent},
	{NULL, 0, NULL},
};

/* --- any type ---------------------------------------------------------------------------- */

static unsigned type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return SCHEMA_OBJECT;
	case JSON_ARRAY:
		return SCHEMA_ARRAY;
	case JSON_STRING:
		return SCHEMA_STRING;
	case JSON_INTEGER:
		return SCHEMA_INTEGER | SCHEMA_NUMBER;
	case JSON_REAL:
		return SCHEMA_NUMBER | (schema_is_integral(value) ? SCHEMA_INTEGER : 0);
	case JSON_NULL:
		return SCHEMA_NULL;
	default:
		return SCHEMA_BOOLEAN;
	}
}

static const char *const type_names[] = {"null",     "a boolean",  "an object", "an array",
					 "a string", "an integer", "a number"};

static const char *type_name(const json_t *value)
{
	unsigned bits = type_of(value);

	for (size_t i = 0; i < ARRAY_COUNT(type_names); i++)
		if ((bits & (1u << i)) != 0)
			return type_names[i];
	return "nothing";
}

/* "a string or null" */
static void types_write(unsigned types, char *ret, size_t size)
{
	size_t length = 0;

	ret[0] = '\0';
	/* null comes last: it is never what the caller meant. */
	for (size_t i = 1; i <= ARRAY_COUNT(type_names); i++) {
		size_t type = i % ARRAY_COUNT(type_names);

		if ((types & (1u << type)) == 0 || length >= size)
			continue;
		length += (size_t)snprintf(ret + length, size - length, "%s%s",
					   length > 0 ? " or " : "", type_names[type]);
	}
}

static bool type_fault(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place)
{
	char wanted[128];
	struct schema_error *error;

	if (checker->report == NULL)
		return false;
	types_write(node->types, wanted, sizeof(wanted));
	error = error_add(checker, node, "type", place, "expected %s, got %s", wanted,
			  type_name(value));
	if (json_is_string(value) && (node->types & (SCHEMA_NUMBER | SCHEMA_INTEGER)) != 0)
		error_hint(error, "Send %s without quotes.", wanted);
	else if (json_is_real(value) && (node->types & SCHEMA_INTEGER) != 0)
		error_hint(error, "Round it: send a number without a fraction.");
	else
		error_hint(error, "Send %s here.", wanted);
	return false;
}

static bool const_fault(struct checker *checker, const struct schema_node *node,
			const struct place *place)
{
	char wanted[192];

	if (checker->report == NULL)
		return false;
	value_show(node->constant, wanted, sizeof(wanted));
	error_hint(error_add(checker, node, "const", place, "must be %s", wanted), "Send %s.",
		   wanted);
	return false;
}

static bool enum_fault(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place)
{
	char got[64];
	char wanted[192];
	struct schema_error *error;
	const char *nearest = NULL;

	if (checker->report == NULL)
		return false;
	value_show(value, got, sizeof(got));
	value_show(node->enumeration, wanted, sizeof(wanted));
	if (json_is_string(value))
		nearest = schema_nearest_text(node->enumeration, json_string_value(value),
					      json_string_length(value));
	error = error_add(checker, node, "enum", place, "%s is not one of %s", got, wanted);
	if (nearest != NULL)
		error_hint(error, "Send one of %s; did you mean \"%s\"?", wanted, nearest);
	else
		error_hint(error, "Send one of %s.", wanted);
	return false;
}

static bool is_in_enum(struct checker *checker, const struct schema_node *node, json_t *value)
{
	for (size_t i = 0; i < json_array_size(node->enumeration); i++)
		if (value_same(json_array_get(node->enumeration, i), value, &checker->work))
			return true;
	return false;
}

bool check_general(struct checker *checker, const struct schema_node *node, json_t *value,
		   const struct place *place)
{
	if (node->types != 0 && (node->types & type_of(value)) == 0)
		return type_fault(checker, node, value, place);
	if (node->constant != NULL && !value_same(node->constant, value, &checker->work))
		return const_fault(checker, node, place);
	if (node->enumeration != NULL && !is_in_enum(checker, node, value))
		return enum_fault(checker, node, value, place);
	return true;
}

bool type_is(const json_t *value, unsigned types)
{
	return (type_of(value) & types) != 0;
}

/* --- numbers ----------------------------------------------------------------------------- */

static bool bound_fault(struct checker *checker, const struct schema_node *node, unsigned which,
			json_t *value, const struct place *place)
{
	static const char *const keywords[] = {"minimum", "exclusiveMinimum", "maximum",
					       "exclusiveMaximum"};
	static const char *const words[] = {"at least", "a number above", "at most",
					    "a number below"};
	char got[40];
	char wanted[40];

	if (checker->report == NULL)
		return false;
	value_show(value, got, sizeof(got));
	value_show(node->bounds[which], wanted, sizeof(wanted));
	error_hint(error_add(checker, node, keywords[which], place, "%s is %s the %s%s of %s",
			     got, which < 2 ? "below" : "above",
			     which % 2 == 1 ? "exclusive " : "",
			     which < 2 ? "minimum" : "maximum", wanted),
		   "Send %s %s.", words[which], wanted);
	return false;
}

static bool multiple_fault(struct checker *checker, const struct schema_node *node,
			   json_t *value, const struct place *place)
{
	char got[40];
	char wanted[40];

	if (checker->report == NULL)
		return false;
	value_show(value, got, sizeof(got));
	value_show(node->multiple, wanted, sizeof(wanted));
	error_hint(error_add(checker, node, "multipleOf", place, "%s is no multiple of %s", got,
			     wanted),
		   "Send a multiple of %s.", wanted);
	return false;
}

bool check_number(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place)
{
	bool is_good = true;

	for (unsigned i = 0; i < ARRAY_COUNT(node->bounds); i++) {
		int order;

		if (node->bounds[i] == NULL)
			continue;
		order = value_compare(value, node->bounds[i]);
		if (i >= 2)
			order = -order;
		if (order < 0 || (order == 0 && i % 2 == 1))
			is_good = bound_fault(checker, node, i, value, place);
	}
	if (node->multiple != NULL && !value_is_multiple(value, &node->divisor))
		is_good = multiple_fault(checker, node, value, place);
	return is_good;
}

/* --- strings ----------------------------------------------------------------------------- */

static bool check_pattern(struct checker *checker, const struct schema_node *node,
			  const char *text, size_t length, const struct place *place)
{
	const char *pattern = schema_pattern_text(node->pattern);
	char got[64];

	switch (schema_pattern_match(node->pattern, text, length, &checker->run)) {
	case PATTERN_MATCH:
		return true;
	case PATTERN_MISS:
		error_hint(error_add(checker, node, "pattern", place,
				     "\"%s\" does not match %s",
				     text_show(got, sizeof(got), text, length), pattern),
			   "Use only what the pattern %s allows.", pattern);
		return false;
	default:
		error_hint(error_add(checker, node, "pattern", place,
				     "the pattern %s cannot be judged within its limits",
				     pattern),
			   "Shorten the text, or simplify the pattern.");
		return checker_stop(checker, "a pattern cannot be judged within its limits");
	}
}

static bool length_fault(struct checker *checker, const struct schema_node *node, size_t length,
			 const struct place *place)
{
	if (length < node->length_min)
		error_hint(error_add(checker, node, "minLength", place,
				     "has %zu characters, at least %zu are needed", length,
				     node->length_min),
			   "Send at least %zu characters.", node->length_min);
	else
		error_hint(error_add(checker, node, "maxLength", place,
				     "has %zu characters, at most %zu are allowed", length,
				     node->length_max),
			   "Shorten it to %zu characters.", node->length_max);
	return false;
}

bool check_text(struct checker *checker, const struct schema_node *node, const char *text,
		size_t length, const struct place *place)
{
	size_t characters = length;

	/* A string has at most as many characters as bytes, and at least a quarter: counting is
	 * rarely needed. */
	if (length > node->length_max || (length + 3) / 4 < node->length_min) {
		if (!charge(checker, length / 16))
			return false;
		characters = value_characters(text, length);
		if (characters < node->length_min || characters > node->length_max)
			return length_fault(checker, node, characters, place);
	}
	return node->pattern == NULL || check_pattern(checker, node, text, length, place);
}

bool check_string(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place)
{
	return check_text(checker, node, json_string_value(value), json_string_length(value),
			  place);
}

/* --- arrays and objects ------------------------------------------------------------------ */

static bool unique_fault(struct checker *checker, const struct schema_node *node,
			 const size_t pair[2], const struct place *place)
{
	struct place here = {.parent = place, .index = pair[1]};

	error_hint(error_add(checker, node, "uniqueItems", &here,
			     "elements %zu and %zu are equal", pair[0], pair[1]),
		   "Remove one of them.");
	return false;
}

bool check_array_size(struct checker *checker, const struct schema_node *node, json_t *value,
		      const struct place *place)
{
	size_t size = json_array_size(value);
	size_t pair[2] = {0, 0};

	if (size < node->items_min) {
		error_hint(error_add(checker, node, "minItems", place,
				     "has %zu elements, at least %zu are needed", size,
				     node->items_min),
			   "Send at least %zu elements.", node->items_min);
		return false;
	}
	if (size > node->items_max) {
		error_hint(error_add(checker, node, "maxItems", place,
				     "has %zu elements, at most %zu are allowed", size,
				     node->items_max),
			   "Send at most %zu elements.", node->items_max);
		return false;
	}
	if (node->items_unique && !value_is_unique(value, &checker->work, pair))
		return unique_fault(checker, node, pair, place);
	return true;
}

static void missing_fault(struct checker *checker, const struct schema_node *node,
			  const char *keyword, json_t *value, const json_t *name,
			  const struct place *place)
{
	const char *wanted = json_string_value(name);
	char shown[96];
	char got[64];
	struct schema_error *error;
	const char *key;
	size_t length;
	json_t *member;

	if (checker->report == NULL)
		return;
	text_show(shown, sizeof(shown), wanted, json_string_length(name));
	error = error_add(checker, node, keyword, place, "\"%s\" is missing", shown);
	error_member(error, wanted);
	/* A member that is not known here and nearly has the name is what was meant. */
	json_object_keylen_foreach(value, key, length, member)
	{
		if (names_find(&node->properties, key, length) != NULL ||
		    !schema_is_name_near(wanted, key, length))
			continue;
		error_hint(error, "Add \"%s\"; did you write \"%s\" for it?", shown,
			   text_show(got, sizeof(got), key, length));
		return;
	}
	error_hint(error, "Add \"%s\".", shown);
}

static bool check_names(struct checker *checker, const struct schema_node *node,
			const char *keyword, const json_t *names, json_t *value,
			const struct place *place)
{
	bool is_good = true;

	for (size_t i = 0; i < json_array_size(names); i++) {
		const json_t *name = json_array_get(names, i);

		if (!charge(checker, 1))
			return false;
		if (json_object_getn(value, json_string_value(name),
				     json_string_length(name)) != NULL)
			continue;
		is_good = false;
		missing_fault(checker, node, keyword, value, name, place);
		if (checker->report == NULL || checker->report->has_more)
			break;
	}
	return is_good;
}

static bool check_members(struct checker *checker, const struct schema_node *node, size_t size,
			  const struct place *place)
{
	bool is_few = size < node->members_min;

	if (!is_few && size <= node->members_max)
		return true;
	error_hint(error_add(checker, node, is_few ? "minProperties" : "maxProperties", place,
			     "has %zu members, at %s %zu are allowed", size,
			     is_few ? "least" : "most",
			     is_few ? node->members_min : node->members_max),
		   "%s members.", is_few ? "Add" : "Remove");
	return false;
}

bool check_object_size(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place, bool has_required)
{
	bool is_good = check_members(checker, node, json_object_size(value), place);

	if (has_required && node->required != NULL && (is_good || checker->report != NULL))
		is_good &= check_names(checker, node, "required", node->required, value, place);
	for (size_t i = 0; i < node->dependency_count && (is_good || checker->report != NULL);
	     i++) {
		const struct schema_dependency *dependency = &node->dependencies[i];

		if (!charge(checker, 1))
			return false;
		if (dependency->required != NULL &&
		    json_object_getn(value, dependency->name, dependency->length) != NULL)
			is_good &= check_names(checker, node, "dependentRequired",
					       dependency->required, value, place);
	}
	return is_good;
}
