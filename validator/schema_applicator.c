/* The applicator vocabulary: subschemas for parts of a value, and combinations for the whole.
 */
#include <string.h>

#include "validator/schema_check.h"

/* --- compiling --------------------------------------------------------------------------- */

static int take_list(struct compiler *compiler, json_t *value, struct schema_list *ret,
		     struct err *err)
{
	size_t index;
	json_t *item;

	if (json_array_size(value) == 0)
		return compile_error(compiler, NULL, "must be an array of schemas", err);
	ret->items = calloc(json_array_size(value), sizeof(struct schema_node *));
	if (ret->items == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	json_array_foreach(value, index, item)
	{
		struct compile_step step = {.index = index};
		int status = compile_child(compiler, item, &step, &ret->items[index], err);

		if (status < 0)
			return status;
		ret->count++;
	}
	return 0;
}

#define TAKE_LIST(name, part)                                                             \
	static int take_##name(struct compiler *compiler, json_t *value, struct err *err) \
	{                                                                                 \
		compiler->node->parts |= (part);                                          \
		return take_list(compiler, value, &compiler->node->name, err);            \
	}
TAKE_LIST(prefix, PART_ARRAY)
TAKE_LIST(all, PART_COMBINED)
TAKE_LIST(any, PART_COMBINED)
TAKE_LIST(one, PART_COMBINED)

#define TAKE_ONLY(name, part)                                                             \
	static int take_##name(struct compiler *compiler, json_t *value, struct err *err) \
	{                                                                                 \
		compiler->node->parts |= (part);                                          \
		return compile_only(compiler, value, &compiler->node->name, err);         \
	}
TAKE_ONLY(items, PART_ARRAY)
TAKE_ONLY(contains, PART_ARRAY)
TAKE_ONLY(additional, PART_OBJECT)
TAKE_ONLY(names, PART_OBJECT)
TAKE_ONLY(never, PART_COMBINED)
TAKE_ONLY(condition, PART_COMBINED)
TAKE_ONLY(then, PART_COMBINED)
TAKE_ONLY(otherwise, PART_COMBINED)

uint32_t names_hash(const struct schema_names *names, const char *key, size_t length)
{
	uint64_t hash = names->seed ^ length;
	uint64_t word;

	for (; length >= sizeof(word); key += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, key, sizeof(word));
		hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, key, length);
	hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
	return (uint32_t)(hash >> 32);
}

const struct schema_property *names_find(const struct schema_names *names, const char *key,
					 size_t length)
{
	uint32_t hash;

	if (names->count == 0)
		return NULL;
	hash = names_hash(names, key, length);
	for (uint32_t at = hash & names->mask; names->slots[at] != 0;
	     at = (at + 1) & names->mask) {
		const struct schema_property *property = &names->list[names->slots[at] - 1];

		if (property->hash == hash && property->length == length &&
		    memcmp(property->name, key, length) == 0)
			return property;
	}
	return NULL;
}

void names_mark_required(struct schema_node *node)
{
	size_t known = 0;

	for (size_t i = 0; i < json_array_size(node->required); i++) {
		const json_t *name = json_array_get(node->required, i);
		const struct schema_property *property = names_find(
			&node->properties, json_string_value(name), json_string_length(name));

		if (property == NULL)
			return;
		known += !property->is_required;
		node->properties.list[property - node->properties.list].is_required = true;
	}
	node->required_known = known;
}

static bool names_make(struct schema_names *names, size_t count, uint32_t seed)
{
	size_t slots = 4;

	while (slots < 2 * count)
		slots *= 2;
	names->list = calloc(count + 1, sizeof(*names->list));
	names->slots = calloc(slots, sizeof(*names->slots));
	names->mask = (uint32_t)slots - 1;
	names->seed = seed;
	return names->list != NULL && names->slots != NULL;
}

static int take_properties(struct compiler *compiler, json_t *value, struct err *err)
{
	struct schema_names *names = &compiler->node->properties;
	const char *name;
	size_t length;
	json_t *child;

	if (!json_is_object(value))
		return compile_error(compiler, NULL, "must be an object", err);
	compiler->node->parts |= PART_OBJECT;
	if (!names_make(names, json_object_size(value), compiler->store->seed))
		return err_errno(err, ENOMEM, "compile a schema");
	json_object_keylen_foreach(value, name, length, child)
	{
		struct schema_property *property = &names->list[names->count];
		struct compile_step step = {name, length, SIZE_MAX};
		int status = compile_child(compiler, child, &step, &property->node, err);
		uint32_t at;

		if (status < 0)
			return status;
		property->name = name;
		property->length = length;
		property->hash = names_hash(names, name, length);
		for (at = property->hash & names->mask; names->slots[at] != 0;
		     at = (at + 1) & names->mask)
			;
		names->slots[at] = (uint32_t)++names->count;
	}
	return 0;
}

static int take_matching(struct compiler *compiler, json_t *value, struct err *err)
{
	struct schema_node *node = compiler->node;
	const char *name;
	size_t length;
	json_t *child;

	if (!json_is_object(value))
		return compile_error(compiler, NULL, "must be an object", err);
	node->parts |= PART_OBJECT;
	node->matching = calloc(json_object_size(value) + 1, sizeof(*node->matching));
	if (node->matching == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	json_object_keylen_foreach(value, name, length, child)
	{
		struct schema_matching *matching = &node->matching[node->matching_count];
		struct compile_step step = {name, length, SIZE_MAX};
		int status = compile_pattern(compiler, name, length, &matching->pattern, err);

		if (status < 0)
			return status;
		node->matching_count++;
		status = compile_child(compiler, child, &step, &matching->node, err);
		if (status < 0)
			return status;
	}
	return 0;
}

static int take_dependent(struct compiler *compiler, json_t *value, struct err *err)
{
	struct schema_node *node = compiler->node;
	const char *name;
	size_t length;
	json_t *child;
	int status = compile_dependencies_room(compiler, value, err);

	if (status < 0)
		return status;
	node->parts |= PART_COMBINED;
	json_object_keylen_foreach(value, name, length, child)
	{
		struct schema_dependency *dependency =
			&node->dependencies[node->dependency_count];
		struct compile_step step = {name, length, SIZE_MAX};

		*dependency = (struct schema_dependency){.name = name, .length = length};
		status = compile_child(compiler, child, &step, &dependency->node, err);
		if (status < 0)
			return status;
		node->dependency_count++;
	}
	return 0;
}

const struct schema_keyword schema_applicator_keywords[] = {
	{"properties", VOCABULARY_APPLICATOR, take_properties},
	{"patternProperties", VOCABULARY_APPLICATOR, take_matching},
	{"additionalProperties", VOCABULARY_APPLICATOR, take_additional},
	{"propertyNames", VOCABULARY_APPLICATOR, take_names},
	{"items", VOCABULARY_APPLICATOR, take_items},
	{"prefixItems", VOCABULARY_APPLICATOR, take_prefix},
	{"contains", VOCABULARY_APPLICATOR, take_contains},
	{"allOf", VOCABULARY_APPLICATOR, take_all},
	{"anyOf", VOCABULARY_APPLICATOR, take_any},
	{"oneOf", VOCABULARY_APPLICATOR, take_one},
	{"not", VOCABULARY_APPLICATOR, take_never},
	{"if", VOCABULARY_APPLICATOR, take_condition},
	{"then", VOCABULARY_APPLICATOR, take_then},
	{"else", VOCABULARY_APPLICATOR, take_otherwise},
	{"dependentSchemas", VOCABULARY_APPLICATOR, take_dependent},
	{NULL, 0, NULL},
};

/* --- arrays ------------------------------------------------------------------------------ */

static bool is_enough(const struct checker *checker)
{
	return checker->report == NULL || checker->report->has_more || checker->work == 0;
}

static bool check_items(struct checker *checker, const struct schema_node *node, json_t *value,
			const struct place *place, struct marks *marks)
{
	size_t prefix = node->prefix.count;
	bool is_good = true;
	size_t index;
	json_t *item;

	if (node->items == NULL && prefix == 0)
		return true;
	json_array_foreach(value, index, item)
	{
		struct place here = {.parent = place, .index = index};
		const struct schema_node *inner =
			index < prefix ? node->prefix.items[index] : node->items;

		if (inner == NULL)
			break;
		if (marks != NULL)
			marks_set(marks, index);
		if (evaluate(checker, inner, item, &here, NULL))
			continue;
		is_good = false;
		if (is_enough(checker))
			break;
	}
	return is_good;
}

static bool contains_fault(struct checker *checker, const struct schema_node *node,
			   size_t count, const struct place *place)
{
	bool is_few = count < node->contains_min;
	size_t wanted = is_few ? node->contains_min : node->contains_max;
	const char *keyword = !is_few			? "maxContains"
			      : node->contains_min == 1 ? "contains"
							: "minContains";

	error_hint(error_add(checker, node, keyword, place,
			     "%zu of the elements fit the schema of contains, at %s %zu %s",
			     count, is_few ? "least" : "most", wanted, is_few ? "must" : "may"),
		   is_few ? "Add an element that fits." : "Remove elements that fit.");
	return false;
}

static bool check_contains(struct checker *checker, const struct schema_node *node,
			   json_t *value, const struct place *place, struct marks *marks)
{
	size_t count = 0;
	size_t index;
	json_t *item;

	if (node->contains == NULL)
		return true;
	json_array_foreach(value, index, item)
	{
		struct place here = {.parent = place, .index = index};

		/* Without a use for the rest, enough is enough. */
		if (checker->work == 0 || (marks == NULL && count >= node->contains_min &&
					   node->contains_max == SIZE_MAX))
			break;
		if (!holds(checker, node->contains, item, &here, NULL))
			continue;
		count++;
		if (marks != NULL)
			marks_set(marks, index);
	}
	if (count >= node->contains_min && count <= node->contains_max)
		return true;
	return contains_fault(checker, node, count, place);
}

bool check_array(struct checker *checker, const struct schema_node *node, json_t *value,
		 const struct place *place, struct marks *marks)
{
	bool is_good = check_array_size(checker, node, value, place) &&
		       check_items(checker, node, value, place, marks);

	if (is_good || checker->report != NULL)
		is_good &= check_contains(checker, node, value, place, marks);
	return is_good;
}

/* --- objects ----------------------------------------------------------------------------- */

/* "language, code, stdin" */
static void names_write(const struct schema_names *names, char *ret, size_t size)
{
	size_t length = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < names->count && length < size; i++)
		length += (size_t)snprintf(ret + length, size - length, "%s%s",
					   i > 0 ? ", " : "", names->list[i].name);
}

static void fault_unknown(struct checker *checker, const struct schema_node *node,
			  const struct place *place)
{
	char shown[64];
	char names[192];
	struct schema_error *error;
	const char *nearest = schema_nearest_name(node, place->key, place->length);
	const json_t *explained =
		node->unknown != NULL
			? json_object_getn(node->unknown, place->key, place->length)
			: NULL;

	text_show(shown, sizeof(shown), place->key, place->length);
	error = error_add(checker, node, "additionalProperties", place, "unknown member \"%s\"",
			  shown);
	names_write(&node->properties, names, sizeof(names));
	if (json_is_string(explained))
		error_hint(error, "Remove \"%s\". %s", shown, json_string_value(explained));
	else if (nearest != NULL)
		error_hint(error, "Remove \"%s\"; did you mean \"%s\"?", shown, nearest);
	else if (node->properties.count > 0)
		error_hint(error, "Remove \"%s\"; known here: %s.", shown, names);
	else
		error_hint(error, "Remove \"%s\".", shown);
}

static bool check_name(struct checker *checker, const struct schema_node *node,
		       const struct place *place)
{
	json_t *name;
	bool is_good;

	if (node->names == NULL)
		return true;
	/* Most ask for a form of the text only: no value is made for that. */
	if (checker->report == NULL && (node->names->parts & ~(unsigned)PART_STRING) == 0 &&
	    !node->names->is_never && node->names->format == NULL)
		return charge(checker, 4) &&
		       check_text(checker, node->names, place->key, place->length, place);
	name = json_stringn_nocheck(place->key, place->length);
	if (name == NULL)
		return checker_stop(checker, "out of memory");
	is_good = evaluate(checker, node->names, name, place, NULL);
	json_decref(name);
	return is_good;
}

/* Every pattern that matches the name has its say. */
static bool check_matching(struct checker *checker, const struct schema_node *node,
			   json_t *value, const struct place *place, bool *ret_is_known)
{
	bool is_good = true;

	for (size_t i = 0; i < node->matching_count; i++) {
		const struct schema_matching *matching = &node->matching[i];
		enum pattern_result result = schema_pattern_match(matching->pattern, place->key,
								  place->length, &checker->run);

		if (result == PATTERN_UNDECIDED)
			return checker_stop(checker,
					    "a pattern cannot be judged within its limits");
		if (result == PATTERN_MISS)
			continue;
		*ret_is_known = true;
		is_good &= evaluate(checker, matching->node, value, place, NULL);
	}
	return is_good;
}

/* What a member turned out to be. */
struct member {
	bool is_known; /* some keyword but propertyNames applied to it */
	bool is_required;
};

static bool check_member(struct checker *checker, const struct schema_node *node, json_t *value,
			 const struct place *place, struct member *ret)
{
	const struct schema_property *property =
		names_find(&node->properties, place->key, place->length);
	bool is_good = true;

	ret->is_known = property != NULL;
	ret->is_required = property != NULL && property->is_required;
	if (!check_name(checker, node, place))
		return false;
	if (property != NULL)
		is_good = evaluate(checker, property->node, value, place, NULL);
	if (node->matching_count > 0)
		is_good &= check_matching(checker, node, value, place, &ret->is_known);
	if (ret->is_known || node->additional == NULL)
		return is_good;
	ret->is_known = true;
	if (!node->additional->is_never || node->matching_count > 0)
		return evaluate(checker, node->additional, value, place, NULL) && is_good;
	if (checker->report != NULL)
		fault_unknown(checker, node, place);
	return false;
}

/* Members that are told by nothing but their names are looked up, not searched for. */
static bool check_properties_only(struct checker *checker, const struct schema_node *node,
				  json_t *value, const struct place *place)
{
	bool is_good = true;

	for (size_t i = 0; i < node->properties.count; i++) {
		const struct schema_property *property = &node->properties.list[i];
		struct place here = {
			.parent = place, .key = property->name, .length = property->length};
		json_t *member = json_object_getn(value, property->name, property->length);

		if (!charge(checker, 1))
			return false;
		if (member == NULL || evaluate(checker, property->node, member, &here, NULL))
			continue;
		is_good = false;
		if (is_enough(checker))
			break;
	}
	return is_good;
}

static bool check_all_members(struct checker *checker, const struct schema_node *node,
			      json_t *value, const struct place *place, struct marks *marks)
{
	struct place here = {.parent = place};
	bool is_good = true;
	size_t index = 0;
	size_t required = 0;
	json_t *member;

	json_object_keylen_foreach(value, here.key, here.length, member)
	{
		struct member what = {.is_known = false};
		bool is_fine =
			charge(checker, 1) && check_member(checker, node, member, &here, &what);

		if (marks != NULL && what.is_known)
			marks_set(marks, index);
		index++;
		required += what.is_required;
		if (is_fine)
			continue;
		is_good = false;
		if (is_enough(checker))
			break;
	}
	/* A report was told by check_object_size() which are missing. */
	return is_good && (checker->report != NULL || required >= node->required_known);
}

bool check_object(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place, struct marks *marks)
{
	bool has_only_names =
		node->additional == NULL && node->names == NULL && node->matching_count == 0;
	bool sees_all =
		!(has_only_names &&
		  (node->properties.count == 0 ||
		   (marks == NULL && node->properties.count < json_object_size(value))));
	bool has_required = !sees_all || checker->report != NULL || node->required_known == 0;
	bool is_good = check_object_size(checker, node, value, place, has_required);

	if (!is_good && checker->report == NULL)
		return false;
	if (sees_all)
		return check_all_members(checker, node, value, place, marks) && is_good;
	if (node->properties.count == 0)
		return is_good;
	return check_properties_only(checker, node, value, place) && is_good;
}

/* --- combinations ------------------------------------------------------------------------ */

static bool check_all(struct checker *checker, const struct schema_node *node, json_t *value,
		      const struct place *place, struct marks *marks)
{
	bool is_good = true;

	for (size_t i = 0; i < node->all.count; i++) {
		if (evaluate(checker, node->all.items[i], value, place, marks))
			continue;
		is_good = false;
		if (is_enough(checker))
			break;
	}
	return is_good;
}

/* How many branches hold; with `is_any` one is enough unless their marks are wanted. */
static size_t count_branches(struct checker *checker, const struct schema_list *list,
			     bool is_any, json_t *value, const struct place *place,
			     struct marks *marks)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count && checker->work > 0; i++) {
		count += holds_marked(checker, list->items[i], value, place, marks);
		if (is_any && count > 0 && marks == NULL && !checker->wants_notes)
			break;
	}
	return count;
}

/* No branch holds: the error of the combination, and below it those of every branch. */
static void fault_branches(struct checker *checker, const struct schema_node *node,
			   const struct schema_list *list, json_t *value,
			   const struct place *place, const char *keyword)
{
	struct schema_report *report = checker->report;
	size_t count = report != NULL ? report->error_count : 0;
	size_t parent = checker->parent;
	size_t branch = checker->branch;

	if (report == NULL || checker->work == 0)
		return;
	error_hint(error_add(checker, node, keyword, place,
			     "fits none of the %zu allowed forms", list->count),
		   "Send one of the forms that the schema describes.");
	if (report->error_count == count)
		return;
	checker->parent = count;
	for (size_t i = 0; i < list->count && !report->has_more; i++) {
		checker->branch = i;
		(void)evaluate(checker, list->items[i], value, place, NULL);
	}
	checker->parent = parent;
	checker->branch = branch;
}

static bool check_any(struct checker *checker, const struct schema_node *node, json_t *value,
		      const struct place *place, struct marks *marks)
{
	if (node->any.count == 0 ||
	    count_branches(checker, &node->any, true, value, place, marks) > 0)
		return true;
	fault_branches(checker, node, &node->any, value, place, "anyOf");
	return false;
}

static bool check_one(struct checker *checker, const struct schema_node *node, json_t *value,
		      const struct place *place, struct marks *marks)
{
	size_t count;

	if (node->one.count == 0)
		return true;
	count = count_branches(checker, &node->one, false, value, place, marks);
	if (count == 1)
		return true;
	if (count == 0)
		fault_branches(checker, node, &node->one, value, place, "oneOf");
	else
		error_hint(error_add(checker, node, "oneOf", place,
				     "fits %zu of the forms, exactly one is allowed", count),
			   "Leave out the members that belong to another form.");
	return false;
}

static bool check_never(struct checker *checker, const struct schema_node *node, json_t *value,
			const struct place *place)
{
	size_t notes = checker->report != NULL ? checker->report->note_count : 0;

	if (node->never == NULL)
		return true;
	if (!holds(checker, node->never, value, place, NULL))
		return checker->work > 0;
	notes_cut(checker, notes);
	error_hint(error_add(checker, node, "not", place, "has the form that is not allowed"),
		   "Send anything but the form that the schema excludes.");
	return false;
}

static bool check_condition(struct checker *checker, const struct schema_node *node,
			    json_t *value, const struct place *place, struct marks *marks)
{
	const struct schema_node *branch;

	if (node->condition == NULL || (node->then == NULL && node->otherwise == NULL &&
					marks == NULL && !checker->wants_notes))
		return true;
	branch = holds_marked(checker, node->condition, value, place, marks) ? node->then
									     : node->otherwise;
	if (checker->work == 0)
		return false;
	return branch == NULL || evaluate(checker, branch, value, place, marks);
}

static bool check_dependent(struct checker *checker, const struct schema_node *node,
			    json_t *value, const struct place *place, struct marks *marks)
{
	bool is_good = true;

	if (!json_is_object(value))
		return true;
	for (size_t i = 0; i < node->dependency_count; i++) {
		const struct schema_dependency *dependency = &node->dependencies[i];

		if (!charge(checker, 1))
			return false;
		if (dependency->node == NULL ||
		    json_object_getn(value, dependency->name, dependency->length) == NULL)
			continue;
		is_good &= evaluate(checker, dependency->node, value, place, marks);
	}
	return is_good;
}

bool check_combined(struct checker *checker, const struct schema_node *node, json_t *value,
		    const struct place *place, struct marks *marks)
{
	bool is_quiet = checker->report == NULL;
	bool is_good = check_core(checker, node, value, place, marks);

	if (is_good || !is_quiet)
		is_good &= check_all(checker, node, value, place, marks);
	if (is_good || !is_quiet)
		is_good &= check_any(checker, node, value, place, marks);
	if (is_good || !is_quiet)
		is_good &= check_one(checker, node, value, place, marks);
	if (is_good || !is_quiet)
		is_good &= check_never(checker, node, value, place);
	if (is_good || !is_quiet)
		is_good &= check_condition(checker, node, value, place, marks);
	if (is_good || !is_quiet)
		is_good &= check_dependent(checker, node, value, place, marks);
	return is_good;
}
