#include <math.h>
#include <stdio.h>
#include <string.h>

#include "validator/schema_node.h"

/* Recursion of the checker: nesting of the document times that of the schema around one value.
 * Reached only by a schema that refers to itself without taking a step into the document. */
#define CHECK_DEPTH_MAX 256

struct checker {
	const struct schema *schema;
	struct faults *faults; /* NULL: only the verdict counts, stop at the first fault */
	unsigned depth;
};

static bool check(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place);

static struct fault *hint_of(const struct schema_node *node, struct fault *fault)
{
	if (node->hint != NULL)
		fault_hint(fault, "%s", node->hint);
	/* The node's own hint is final: the caller sets none on NULL. */
	return node->hint != NULL ? NULL : fault;
}

/* Adds a fault and evaluates to where the built-in hint goes. */
#define FAULT(checker, node, place, rule, ...)                                              \
	((checker)->faults == NULL ? NULL                                                   \
				   : hint_of((node), faults_add((checker)->faults, (place), \
								(rule), __VA_ARGS__)))

/* --- values ------------------------------------------------------------------------------- */

/* x86-64 and aarch64 long doubles hold every int64 exactly. */
static int number_compare(const json_t *a, const json_t *b)
{
	long double x = json_is_integer(a) ? (long double)json_integer_value(a)
					   : (long double)json_real_value(a);
	long double y = json_is_integer(b) ? (long double)json_integer_value(b)
					   : (long double)json_real_value(b);

	return x < y ? -1 : x > y;
}

static bool same(json_t *a, json_t *b);

static bool same_members(json_t *a, json_t *b)
{
	const char *key;
	size_t length;
	json_t *value;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_keylen_foreach(a, key, length, value)
	{
		json_t *other = json_object_getn(b, key, length);

		if (other == NULL || !same(value, other))
			return false;
	}
	return true;
}

/* Equality of JSON Schema: 1 and 1.0 are the same number, order of members does not count. */
static bool same(json_t *a, json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return number_compare(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_object(a))
		return same_members(a, b);
	if (json_is_string(a))
		return json_string_length(a) == json_string_length(b) &&
		       memcmp(json_string_value(a), json_string_value(b),
			      json_string_length(a)) == 0;
	if (!json_is_array(a))
		return true; /* null, true, false: the type is the value */
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!same(json_array_get(a, i), json_array_get(b, i)))
			return false;
	return true;
}

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

static size_t characters(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xC0) != 0x80;
	return count;
}

/* One value as JSON, short and safe to show. */
static void show(const json_t *value, char *ret, size_t size)
{
	own_mem char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	if (text == NULL)
		(void)snprintf(ret, size, "?");
	else
		(void)text_show(ret, size, text, strlen(text));
}

/* --- any type ----------------------------------------------------------------------------- */

static bool check_type(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place)
{
	char wanted[128];
	struct fault *fault;

	if (node->types == 0 || (node->types & type_of(value)) != 0)
		return true;
	if (checker->faults == NULL)
		return false;
	types_write(node->types, wanted, sizeof(wanted));
	fault = FAULT(checker, node, place, "type", "expected %s, got %s", wanted,
		      type_name(value));
	if (json_is_string(value) && (node->types & (SCHEMA_NUMBER | SCHEMA_INTEGER)) != 0)
		fault_hint(fault, "Send %s without quotes.", wanted);
	else if (json_is_real(value) && (node->types & SCHEMA_INTEGER) != 0)
		fault_hint(fault, "Round it: send a number without a fraction.");
	else
		fault_hint(fault, "Send %s here.", wanted);
	return false;
}

static bool check_enum(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place)
{
	char got[64];
	char wanted[192];
	struct fault *fault;
	size_t index;
	json_t *item;

	if (node->constant != NULL && !same(node->constant, value)) {
		if (checker->faults != NULL)
			show(node->constant, wanted, sizeof(wanted));
		fault_hint(FAULT(checker, node, place, "const", "must be %s", wanted),
			   "Send %s.", checker->faults != NULL ? wanted : "");
		return false;
	}
	if (node->enumeration == NULL)
		return true;
	json_array_foreach(node->enumeration, index, item) if (same(item, value)) return true;
	if (checker->faults == NULL)
		return false;
	show(value, got, sizeof(got));
	show(node->enumeration, wanted, sizeof(wanted));
	fault = FAULT(checker, node, place, "enum", "%s is not one of %s", got, wanted);
	fault_hint(fault, "Send one of %s.", wanted);
	return false;
}

/* --- numbers ------------------------------------------------------------------------------ */

static bool check_number(struct checker *checker, const struct schema_node *node, json_t *value,
			 const struct place *place)
{
	static const char *const bound_words[] = {"at least", "a number above", "at most",
						  "a number below"};
	bool is_good = true;
	struct fault *fault;
	char got[40];
	char wanted[40];

	for (size_t i = 0; i < 4; i++) {
		const struct schema_bound *bound = i < 2 ? &node->low[i] : &node->high[i - 2];
		const char *which = i < 2 ? "minimum" : "maximum";
		int order;

		if (bound->value == NULL)
			continue;
		order = number_compare(value, bound->value);
		if (i >= 2)
			order = -order;
		if (order > 0 || (order == 0 && !bound->is_exclusive))
			continue;
		is_good = false;
		if (checker->faults == NULL)
			break;
		show(value, got, sizeof(got));
		show(bound->value, wanted, sizeof(wanted));
		fault = FAULT(checker, node, place, which, "%s is %s the %s%s of %s", got,
			      i < 2 ? "below" : "above",
			      bound->is_exclusive ? "exclusive " : "", which, wanted);
		fault_hint(fault, "Send %s %s.", bound_words[i], wanted);
	}
	return is_good;
}

/* --- strings ------------------------------------------------------------------------------ */

static bool check_pattern(struct checker *checker, const struct schema_node *node,
			  json_t *value, const struct place *place)
{
	char got[64];
	int matched;

	if (node->pattern == NULL)
		return true;
	/* Strings come from the guard, so they are valid UTF-8: no second look. */
	matched = pcre2_match(node->pattern, (PCRE2_SPTR)json_string_value(value),
			      json_string_length(value), 0, PCRE2_NO_UTF_CHECK,
			      checker->schema->match, checker->schema->match_limits);
	if (matched >= 0)
		return true;
	fault_hint(FAULT(checker, node, place, "pattern", "\"%s\" does not match %s",
			 text_show(got, sizeof(got), json_string_value(value),
				   json_string_length(value)),
			 node->pattern_text),
		   "Use only what the pattern %s allows.", node->pattern_text);
	return false;
}

static bool check_string(struct checker *checker, const struct schema_node *node, json_t *value,
			 const struct place *place)
{
	size_t length = json_string_length(value);

	/* A string has at most as many characters as bytes: counting is rarely needed. */
	if (node->length_min > 0 || length > node->length_max)
		length = characters(json_string_value(value), length);
	if (length < node->length_min) {
		fault_hint(FAULT(checker, node, place, "minLength",
				 "has %zu characters, at least %zu are needed", length,
				 node->length_min),
			   "Send at least %zu characters.", node->length_min);
		return false;
	}
	if (length > node->length_max) {
		fault_hint(FAULT(checker, node, place, "maxLength",
				 "has %zu characters, at most %zu are allowed", length,
				 node->length_max),
			   "Shorten it to %zu characters.", node->length_max);
		return false;
	}
	return check_pattern(checker, node, value, place);
}

/* --- arrays ------------------------------------------------------------------------------- */

static bool check_unique(struct checker *checker, const struct schema_node *node, json_t *value,
			 const struct place *place)
{
	size_t size = json_array_size(value);

	for (size_t i = 1; i < size; i++)
		for (size_t k = 0; k < i; k++) {
			struct place here = {.parent = place, .index = i};

			if (!same(json_array_get(value, i), json_array_get(value, k)))
				continue;
			fault_hint(FAULT(checker, node, &here, "uniqueItems",
					 "elements %zu and %zu are equal", k, i),
				   "Remove one of them.");
			return false;
		}
	return true;
}

static bool check_items(struct checker *checker, const struct schema_node *node, json_t *value,
			const struct place *place)
{
	bool is_good = true;
	size_t index;
	json_t *item;

	if (node->items == NULL && node->prefix.count == 0)
		return true;
	json_array_foreach(value, index, item)
	{
		struct place here = {.parent = place, .index = index};
		const struct schema_node *inner =
			index < node->prefix.count ? node->prefix.items[index] : node->items;

		if (inner == NULL || check(checker, inner, item, &here))
			continue;
		is_good = false;
		if (checker->faults == NULL || checker->faults->has_more)
			break;
	}
	return is_good;
}

static bool check_array(struct checker *checker, const struct schema_node *node, json_t *value,
			const struct place *place)
{
	size_t size = json_array_size(value);

	if (size < node->items_min) {
		fault_hint(FAULT(checker, node, place, "minItems",
				 "has %zu elements, at least %zu are needed", size,
				 node->items_min),
			   "Send at least %zu elements.", node->items_min);
		return false;
	}
	if (size > node->items_max) {
		fault_hint(FAULT(checker, node, place, "maxItems",
				 "has %zu elements, at most %zu are allowed", size,
				 node->items_max),
			   "Send at most %zu elements.", node->items_max);
		return false;
	}
	if (node->items_unique && !check_unique(checker, node, value, place))
		return false;
	return check_items(checker, node, value, place);
}

/* --- objects ------------------------------------------------------------------------------ */

static const struct schema_node *find_property(const struct schema_node *node, const char *key,
					       size_t length)
{
	for (size_t i = 0; i < node->property_count; i++)
		if (node->properties[i].length == length &&
		    memcmp(node->properties[i].name, key, length) == 0)
			return node->properties[i].node;
	return NULL;
}

/* "language, code, stdin" */
static void names_write(const struct schema_node *node, char *ret, size_t size)
{
	size_t length = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < node->property_count && length < size; i++)
		length += (size_t)snprintf(ret + length, size - length, "%s%s",
					   i > 0 ? ", " : "", node->properties[i].name);
}

static void fault_unknown(struct checker *checker, const struct schema_node *node,
			  const char *key, size_t length, const struct place *place)
{
	char shown[64];
	char names[192];
	struct fault *fault;
	const char *nearest = schema_nearest_name(node, key, length);
	const json_t *explained =
		node->unknown != NULL ? json_object_getn(node->unknown, key, length) : NULL;

	text_show(shown, sizeof(shown), key, length);
	fault = faults_add(checker->faults, place, "additionalProperties",
			   "unknown member \"%s\"", shown);
	names_write(node, names, sizeof(names));
	if (json_is_string(explained))
		fault_hint(fault, "Remove \"%s\". %s", shown, json_string_value(explained));
	else if (nearest != NULL)
		fault_hint(fault, "Remove \"%s\"; did you mean \"%s\"?", shown, nearest);
	else if (node->property_count > 0)
		fault_hint(fault, "Remove \"%s\"; known here: %s.", shown, names);
	else
		fault_hint(fault, "Remove \"%s\".", shown);
}

static bool check_name(struct checker *checker, const struct schema_node *node, const char *key,
		       size_t length, const struct place *place)
{
	json_t *name;
	bool is_good;

	if (node->names == NULL)
		return true;
	name = json_stringn_nocheck(key, length);
	if (name == NULL)
		return false;
	is_good = check(checker, node->names, name, place);
	json_decref(name);
	return is_good;
}

static bool check_member(struct checker *checker, const struct schema_node *node,
			 const struct place *place, json_t *value)
{
	const struct schema_node *inner = find_property(node, place->key, place->length);

	if (!check_name(checker, node, place->key, place->length, place))
		return false;
	if (inner != NULL)
		return check(checker, inner, value, place);
	if (node->additional == NULL)
		return true;
	if (!node->additional->is_never)
		return check(checker, node->additional, value, place);
	if (checker->faults != NULL)
		fault_unknown(checker, node, place->key, place->length, place);
	return false;
}

static bool check_required(struct checker *checker, const struct schema_node *node,
			   json_t *value, const struct place *place)
{
	bool is_good = true;
	size_t index;
	json_t *name;

	json_array_foreach(node->required, index, name)
	{
		struct place here = {.parent = place,
				     .key = json_string_value(name),
				     .length = json_string_length(name)};

		if (json_object_getn(value, here.key, here.length) != NULL)
			continue;
		is_good = false;
		if (checker->faults == NULL)
			break;
		fault_hint(
			FAULT(checker, node, &here, "required", "\"%s\" is missing", here.key),
			"Add \"%s\".", here.key);
	}
	return is_good;
}

static bool check_object(struct checker *checker, const struct schema_node *node, json_t *value,
			 const struct place *place)
{
	size_t size = json_object_size(value);
	bool is_good = check_required(checker, node, value, place);
	struct place here = {.parent = place};
	json_t *member;

	if (size < node->members_min || size > node->members_max) {
		bool is_few = size < node->members_min;

		fault_hint(FAULT(checker, node, place,
				 is_few ? "minProperties" : "maxProperties",
				 "has %zu members, at %s %zu are allowed", size,
				 is_few ? "least" : "most",
				 is_few ? node->members_min : node->members_max),
			   "%s members.", is_few ? "Add" : "Remove");
		return false;
	}
	if (node->property_count == 0 && node->additional == NULL && node->names == NULL)
		return is_good;
	json_object_keylen_foreach(value, here.key, here.length, member)
	{
		if (check_member(checker, node, &here, member))
			continue;
		is_good = false;
		if (checker->faults == NULL || checker->faults->has_more)
			break;
	}
	return is_good;
}

/* --- combinations ------------------------------------------------------------------------- */

static bool is_valid(const struct checker *checker, const struct schema_node *node,
		     json_t *value)
{
	struct checker quiet = {.schema = checker->schema, .depth = checker->depth};

	return check(&quiet, node, value, NULL);
}

/* When no branch fits, the faults of the one whose type fits say most: with "x or null" the
 * caller who sent a broken x wants to hear about x. */
static void fault_branches(struct checker *checker, const struct schema_node *node,
			   const struct schema_list *list, json_t *value,
			   const struct place *place, const char *rule)
{
	const struct schema_node *fitting = NULL;
	size_t fitting_count = 0;

	if (checker->faults == NULL)
		return;
	for (size_t i = 0; i < list->count; i++) {
		const struct schema_node *branch = list->items[i];

		while (branch->types == 0 && branch->reference != NULL)
			branch = branch->reference;
		if (branch->types == 0 || (branch->types & type_of(value)) == 0)
			continue;
		fitting = list->items[i];
		fitting_count++;
	}
	if (fitting_count == 1 && node->hint == NULL)
		(void)check(checker, fitting, value, place);
	else
		fault_hint(FAULT(checker, node, place, rule,
				 "fits none of the %zu allowed forms", list->count),
			   "Send one of the forms that the schema describes.");
}

static bool check_any(struct checker *checker, const struct schema_node *node, json_t *value,
		      const struct place *place)
{
	if (node->any.count == 0)
		return true;
	for (size_t i = 0; i < node->any.count; i++)
		if (is_valid(checker, node->any.items[i], value))
			return true;
	fault_branches(checker, node, &node->any, value, place, "anyOf");
	return false;
}

static bool check_one(struct checker *checker, const struct schema_node *node, json_t *value,
		      const struct place *place)
{
	size_t count = 0;

	if (node->one.count == 0)
		return true;
	for (size_t i = 0; i < node->one.count; i++)
		count += is_valid(checker, node->one.items[i], value);
	if (count == 1)
		return true;
	if (count == 0)
		fault_branches(checker, node, &node->one, value, place, "oneOf");
	else
		fault_hint(FAULT(checker, node, place, "oneOf",
				 "fits %zu of the forms, exactly one is allowed", count),
			   "Leave out the members that belong to another form.");
	return false;
}

static bool check_all(struct checker *checker, const struct schema_node *node, json_t *value,
		      const struct place *place)
{
	bool is_good = true;

	for (size_t i = 0; i < node->all.count; i++) {
		if (check(checker, node->all.items[i], value, place))
			continue;
		is_good = false;
		if (checker->faults == NULL)
			break;
	}
	return is_good;
}

static bool check_typed(struct checker *checker, const struct schema_node *node, json_t *value,
			const struct place *place)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return check_object(checker, node, value, place);
	case JSON_ARRAY:
		return check_array(checker, node, value, place);
	case JSON_STRING:
		return check_string(checker, node, value, place);
	case JSON_INTEGER:
	case JSON_REAL:
		return check_number(checker, node, value, place);
	default:
		return true;
	}
}

static bool check_node(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place)
{
	bool is_good;

	if (node->is_never) {
		fault_hint(FAULT(checker, node, place, "false", "nothing is allowed here"),
			   "Remove it.");
		return false;
	}
	/* With the wrong type or a value outside the list, further faults only distract. */
	if (!check_type(checker, node, value, place) ||
	    !check_enum(checker, node, value, place))
		return false;
	is_good = check_typed(checker, node, value, place);
	if (!is_good && checker->faults == NULL)
		return false;
	if (node->reference != NULL)
		is_good &= check(checker, node->reference, value, place);
	is_good &= check_all(checker, node, value, place);
	is_good &= check_any(checker, node, value, place);
	return is_good & check_one(checker, node, value, place);
}

static bool check(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place)
{
	bool is_good;

	if (checker->depth >= CHECK_DEPTH_MAX) {
		(void)FAULT(checker, node, place, "depth",
			    "the schema refers to itself endlessly");
		return false;
	}
	checker->depth++;
	is_good = check_node(checker, node, value, place);
	checker->depth--;
	return is_good;
}

bool schema_check(const struct schema *schema, json_t *instance, struct faults *faults)
{
	struct checker checker = {.schema = schema, .faults = faults};

	return check(&checker, schema->root, instance, NULL);
}
