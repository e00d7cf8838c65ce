#include "validator/schema_node.h"

/* A default beside a $ref counts before one behind it. */
static const json_t *default_of(const struct schema_node *node)
{
	while (node != NULL) {
		const json_t *found = json_object_get(node->source, "default");

		if (found != NULL)
			return found;
		node = node->reference;
	}
	return NULL;
}

static int fill(const struct schema_node *node, json_t *value);

static int fill_absent(const struct schema_node *node, json_t *value)
{
	for (size_t i = 0; i < node->properties.count; i++) {
		const struct schema_property *property = &node->properties.list[i];
		const json_t *absent = default_of(property->node);

		if (absent == NULL ||
		    json_object_getn(value, property->name, property->length) != NULL)
			continue;
		if (json_object_setn_new_nocheck(value, property->name, property->length,
						 json_deep_copy(absent)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static const struct schema_node *member_node(const struct schema_node *node, const char *key,
					     size_t length)
{
	const struct schema_property *property = names_find(&node->properties, key, length);

	if (property != NULL)
		return property->node;
	return node->additional;
}

static int fill_object(const struct schema_node *node, json_t *value)
{
	const char *key;
	size_t length;
	json_t *member;
	int status = fill_absent(node, value);

	json_object_keylen_foreach(value, key, length, member)
	{
		const struct schema_node *inner = member_node(node, key, length);

		if (status == 0 && inner != NULL)
			status = fill(inner, member);
	}
	return status;
}

static int fill_array(const struct schema_node *node, json_t *value)
{
	int status = 0;
	size_t index;
	json_t *item;

	json_array_foreach(value, index, item) if (status == 0 && node->items != NULL) status =
		fill(node->items, item);
	return status;
}

/* The depth is that of a document that was checked, so recursion is bounded. */
static int fill(const struct schema_node *node, json_t *value)
{
	int status = 0;

	for (; node != NULL && status == 0; node = node->reference) {
		if (json_is_object(value))
			status = fill_object(node, value);
		else if (json_is_array(value))
			status = fill_array(node, value);
	}
	return status;
}

int schema_fill(const struct schema *schema, json_t *instance)
{
	return fill(schema->root, instance);
}
