/*
 * validator/schema_node.h - a compiled schema, shared by the compiler, the checker and the
 * filler of defaults; nobody else includes it.
 *
 * Nodes point into the document, which the schema holds; each JSON subschema has one node, so
 * a recursive $ref is simply a cycle.
 */
#ifndef VALIDATOR_SCHEMA_NODE_H
#define VALIDATOR_SCHEMA_NODE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "validator/schema.h"

enum schema_type {
	SCHEMA_NULL = 1,
	SCHEMA_BOOLEAN = 2,
	SCHEMA_OBJECT = 4,
	SCHEMA_ARRAY = 8,
	SCHEMA_STRING = 16,
	SCHEMA_INTEGER = 32,
	SCHEMA_NUMBER = 64
};

struct schema_node;

struct schema_property {
	const char *name;
	size_t length;
	const struct schema_node *node;
};

struct schema_list {
	const struct schema_node **items; /* owned array of borrowed nodes */
	size_t count;
};

/* Inclusive when is_exclusive is false. NULL: no bound. */
struct schema_bound {
	json_t *value;
	bool is_exclusive;
};

struct schema_node {
	struct schema_node *next; /* all nodes of a schema, for freeing */
	json_t *source;
	bool is_never;	/* the schema `false` */
	unsigned types; /* schema_type bits; 0: any */
	json_t *enumeration;
	json_t *constant;
	struct schema_bound low[2]; /* minimum, exclusiveMinimum */
	struct schema_bound high[2];
	size_t length_min, length_max;
	size_t items_min, items_max;
	size_t members_min, members_max;
	bool items_unique;
	pcre2_code *pattern; /* owned */
	const char *pattern_text;
	const struct schema_node *items;
	struct schema_list prefix;
	struct schema_property *properties; /* owned */
	size_t property_count;
	json_t *required;
	const struct schema_node *additional;
	const struct schema_node *names;
	const struct schema_node *reference;
	struct schema_list all, any, one;
	const char *hint;
	json_t *unknown;
};

struct schema {
	json_t *document; /* owned reference */
	struct schema_node *first;
	struct schema_node *root;
	pcre2_match_data *match;
	pcre2_match_context *match_limits;
};

/* True when the value is a number without a fraction, such as 3 or 3.0. */
bool schema_is_integral(const json_t *value);

/* The property whose name is nearest to `key`, NULL when none is near. */
const char *schema_nearest_name(const struct schema_node *node, const char *key, size_t length);

#endif
