/*
 * The unevaluated vocabulary: what neither this schema nor any that applies to the same value
 * has looked at. A set of marks is kept only below a schema that asks for it, and its size is
 * charged, so that sets of sets of sets end.
 */
#include <string.h>

#include "validator/schema_check.h"

static int take_items(struct compiler *compiler, json_t *value, struct err *err)
{
	compiler->node->parts |= PART_UNEVALUATED;
	return compile_only(compiler, value, &compiler->node->unevaluated_items, err);
}

static int take_members(struct compiler *compiler, json_t *value, struct err *err)
{
	compiler->node->parts |= PART_UNEVALUATED;
	return compile_only(compiler, value, &compiler->node->unevaluated_members, err);
}

const struct schema_keyword schema_unevaluated_keywords[] = {
	{"unevaluatedItems", VOCABULARY_UNEVALUATED, take_items},
	{"unevaluatedProperties", VOCABULARY_UNEVALUATED, take_members},
	{NULL, 0, NULL},
};

/* --- marks ------------------------------------------------------------------------------- */

#define WORD_BITS 64

static size_t words_of(const struct marks *marks)
{
	return (marks->count + WORD_BITS - 1) / WORD_BITS;
}

void marks_set(struct marks *marks, size_t index)
{
	if (index < marks->count)
		marks->bits[index / WORD_BITS] |= (uint64_t)1 << index % WORD_BITS;
}

bool marks_has(const struct marks *marks, size_t index)
{
	return marks->has_all ||
	       (index < marks->count &&
		(marks->bits[index / WORD_BITS] >> index % WORD_BITS & 1) != 0);
}

void marks_merge(struct marks *marks, const struct marks *from)
{
	marks->has_all |= from->has_all;
	for (size_t i = 0; i < words_of(marks) && i < words_of(from); i++)
		marks->bits[i] |= from->bits[i];
}

bool marks_new(struct checker *checker, const json_t *value, struct marks *ret)
{
	*ret = (struct marks){.count = json_is_object(value) ? json_object_size(value)
							     : json_array_size(value)};
	if (!charge(checker, 4 + words_of(ret)))
		return false;
	if (ret->count > 0)
		ret->bits = calloc(words_of(ret), sizeof(*ret->bits));
	return ret->count == 0 || ret->bits != NULL || checker_stop(checker, "out of memory");
}

void marks_done(struct marks *marks)
{
	free(marks->bits);
}

bool holds_marked(struct checker *checker, const struct schema_node *node, json_t *value,
		  const struct place *place, struct marks *marks)
{
	own_marks branch = {.bits = NULL};

	if (marks == NULL)
		return holds(checker, node, value, place, NULL);
	if (!marks_new(checker, value, &branch) || !holds(checker, node, value, place, &branch))
		return false;
	marks_merge(marks, &branch);
	return true;
}

/* --- checking ---------------------------------------------------------------------------- */

static bool check_one(struct checker *checker, const struct schema_node *node,
		      const struct schema_node *inner, json_t *value, const struct place *place)
{
	char shown[64];

	if (!inner->is_never || checker->report == NULL)
		return evaluate(checker, inner, value, place, NULL);
	if (place->key == NULL) {
		error_hint(error_add(checker, node, "unevaluatedItems", place,
				     "no schema that applies allows an element %zu",
				     place->index),
			   "Remove it.");
		return false;
	}
	text_show(shown, sizeof(shown), place->key, place->length);
	error_hint(error_add(checker, node, "unevaluatedProperties", place,
			     "no schema that applies knows the member \"%s\"", shown),
		   "Remove \"%s\".", shown);
	return false;
}

static bool check_members(struct checker *checker, const struct schema_node *node,
			  json_t *value, const struct place *place, struct marks *marks)
{
	struct place here = {.parent = place};
	bool is_good = true;
	size_t index = 0;
	json_t *member;

	json_object_keylen_foreach(value, here.key, here.length, member)
	{
		if (!charge(checker, 1))
			return false;
		if (!marks_has(marks, index++))
			is_good &= check_one(checker, node, node->unevaluated_members, member,
					     &here);
		if (!is_good && checker->report == NULL)
			return false;
	}
	marks->has_all = true;
	return is_good;
}

static bool check_elements(struct checker *checker, const struct schema_node *node,
			   json_t *value, const struct place *place, struct marks *marks)
{
	bool is_good = true;
	size_t index;
	json_t *item;

	json_array_foreach(value, index, item)
	{
		struct place here = {.parent = place, .index = index};

		if (!charge(checker, 1))
			return false;
		if (!marks_has(marks, index))
			is_good &=
				check_one(checker, node, node->unevaluated_items, item, &here);
		if (!is_good && checker->report == NULL)
			return false;
	}
	marks->has_all = true;
	return is_good;
}

bool check_unevaluated(struct checker *checker, const struct schema_node *node, json_t *value,
		       const struct place *place, struct marks *marks)
{
	if (json_is_object(value) && node->unevaluated_members != NULL)
		return check_members(checker, node, value, place, marks);
	if (json_is_array(value) && node->unevaluated_items != NULL)
		return check_elements(checker, node, value, place, marks);
	return true;
}
