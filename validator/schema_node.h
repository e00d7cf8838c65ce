/*
 * validator/schema_node.h - compiled schemas, shared by the files of the schema library;
 * nobody else includes it.
 *
 * All nodes live in the store, point into the documents it holds and never change after the
 * compilation. Each subschema object has one node, so a recursive $ref is simply a cycle.
 */
#ifndef VALIDATOR_SCHEMA_NODE_H
#define VALIDATOR_SCHEMA_NODE_H

#include "validator/schema.h"
#include "validator/schema_pattern.h"
#include "validator/schema_value.h"

enum schema_type {
	SCHEMA_NULL = 1,
	SCHEMA_BOOLEAN = 2,
	SCHEMA_OBJECT = 4,
	SCHEMA_ARRAY = 8,
	SCHEMA_STRING = 16,
	SCHEMA_INTEGER = 32,
	SCHEMA_NUMBER = 64
};

enum schema_vocabulary {
	VOCABULARY_CORE = 1,
	VOCABULARY_APPLICATOR = 2,
	VOCABULARY_UNEVALUATED = 4,
	VOCABULARY_VALIDATION = 8,
	VOCABULARY_META_DATA = 16,
	VOCABULARY_FORMAT_ANNOTATION = 32,
	VOCABULARY_FORMAT_ASSERTION = 64,
	VOCABULARY_CONTENT = 128
};

/* What a node has to say, so that the checker skips the rest. */
enum schema_part {
	PART_GENERAL = 1, /* type, enum, const */
	PART_NUMBER = 2,
	PART_STRING = 4,
	PART_ARRAY = 8,
	PART_OBJECT = 16,
	PART_COMBINED = 32, /* $ref, allOf and all that applies to the same value */
	PART_UNEVALUATED = 64
};

struct schema_node;
struct checker;

/* A dialect: what its meta-schema's $vocabulary says. */
struct schema_dialect {
	struct schema_dialect *next;
	char *uri; /* owned */
	unsigned vocabularies;
};

struct schema_anchor {
	const char *name; /* of the document */
	const struct schema_node *node;
	bool is_dynamic;
};

/* A schema resource: a document's root, or a subschema with an $id. */
struct schema_resource {
	struct schema_resource *next;
	char *uri; /* owned; without a fragment */
	json_t *root;
	const struct schema_node *node;
	const struct schema_dialect *dialect;
	struct schema_anchor *anchors; /* owned */
	size_t anchor_count;
	bool has_dynamic;
};

struct schema_property {
	const char *name;
	size_t length;
	uint32_t hash;
	bool is_required; /* as well */
	const struct schema_node *node;
};

/* Members by name: a hash table over `list`, which keeps the order of the document. */
struct schema_names {
	struct schema_property *list; /* owned */
	size_t count;
	uint32_t *slots; /* owned; index + 1, 0: empty */
	uint32_t mask;
	uint32_t seed;
};

struct schema_list {
	const struct schema_node **items; /* owned array of borrowed nodes */
	size_t count;
};

struct schema_matching {
	struct schema_pattern *pattern; /* owned */
	const struct schema_node *node;
};

struct schema_dependency {
	const char *name;
	size_t length;
	json_t *required;		/* NULL, or the names */
	const struct schema_node *node; /* NULL, or the schema */
};

struct schema_format; /* schema_format.h */

struct schema_node {
	struct schema_node *next; /* all nodes of a store, for freeing */
	/* Where it is: below `parent` by a keyword and maybe a name or an index. A node without
	 * a parent is a document's root or was found by a pointer through unknown keywords. */
	const struct schema_node *parent;
	const char *keyword;
	const char *key; /* NULL: none */
	size_t key_length;
	size_t index; /* SIZE_MAX: none */
	char *orphan; /* owned; pointer from the resource's root */
	struct schema_resource *resource;
	json_t *source;
	unsigned parts;
	bool is_never; /* the schema `false` */

	/* core */
	const struct schema_node *reference;
	const struct schema_node *dynamic;
	const char *dynamic_name; /* NULL: $dynamicRef is a plain reference */
	const char *hint;
	json_t *unknown;

	/* validation */
	unsigned types; /* schema_type bits; 0: any */
	json_t *enumeration;
	json_t *constant;
	json_t *bounds[4]; /* minimum, exclusiveMinimum, maximum, exclusiveMaximum */
	struct decimal divisor;
	json_t *multiple;
	size_t length_min, length_max;
	size_t items_min, items_max;
	size_t members_min, members_max;
	size_t contains_min, contains_max;
	bool items_unique;
	struct schema_pattern *pattern; /* owned */
	json_t *required;
	size_t required_known; /* names in `required` when all are in `properties`; else 0 */
	const struct schema_format *format; /* NULL unless it is an assertion */

	/* applicators */
	const struct schema_node *items;
	const struct schema_node *contains;
	struct schema_list prefix;
	struct schema_names properties;
	struct schema_matching *matching; /* patternProperties; owned */
	size_t matching_count;
	const struct schema_node *additional;
	const struct schema_node *names;
	struct schema_dependency *dependencies; /* owned */
	size_t dependency_count;
	struct schema_list all, any, one;
	const struct schema_node *never; /* not */
	const struct schema_node *condition, *then, *otherwise;

	const struct schema_node *unevaluated_items;
	const struct schema_node *unevaluated_members;
};

struct schema_document {
	struct schema_document *next;
	char *uri;			  /* owned; where it was registered */
	json_t *value;			  /* owned reference */
	struct schema_resource *resource; /* NULL until it is compiled */
	bool is_checked;		  /* against its meta-schema */
	bool is_builtin;
};

struct schema_pending; /* schema_compile.c: references to resolve */

struct schema_store {
	size_t references; /* its owner and the schemas compiled in it */
	struct schema_source source;
	struct schema_document *documents;
	struct schema_resource *resources;
	struct schema_dialect *dialects;
	struct schema_node *nodes;
	size_t node_count;
	json_t *by_uri; /* owned: URI -> integer, index into `resource_list` */
	struct schema_resource **resource_list; /* owned */
	size_t resource_count;
	struct schema_node **by_source; /* owned hash table: json_t -> node */
	size_t by_source_size;
	struct schema_pending *pending;
	size_t fetched;
	size_t pattern_bytes;
	bool has_dynamic;
	uint32_t seed;
};

struct schema {
	struct schema_store *store; /* one reference */
	json_t *document;	    /* owned reference */
	const struct schema_node *root;
};

/* --- compiling --------------------------------------------------------------------------- */

struct compiler {
	struct schema_store *store;
	struct schema_node *node;
	const char *keyword; /* the one being taken */
	unsigned flags;
	unsigned depth;
};

struct schema_keyword {
	const char *name;
	unsigned vocabularies; /* known when the dialect has one of these */
	int (*take)(struct compiler *compiler, json_t *value, struct err *err);
};

/* A vocabulary's keywords; the last has no name. */
extern const struct schema_keyword schema_core_keywords[];
extern const struct schema_keyword schema_applicator_keywords[];
extern const struct schema_keyword schema_unevaluated_keywords[];
extern const struct schema_keyword schema_validation_keywords[];
extern const struct schema_keyword schema_format_keywords[];
extern const struct schema_keyword schema_content_keywords[];

/* -EINVAL with the pointer of the keyword (and `key` when not NULL) and `what`. */
nodiscard int compile_error(const struct compiler *compiler, const char *key, const char *what,
			    struct err *err);

struct compile_step {
	const char *key; /* NULL: none */
	size_t key_length;
	size_t index; /* SIZE_MAX: none */
};

/* Both keywords that depend on a member: `value` must be an object, and the node gets room for
 * a dependency on each of its members. */
nodiscard int compile_dependencies_room(struct compiler *compiler, const json_t *value,
					struct err *err);

nodiscard int compile_child(struct compiler *compiler, json_t *source,
			    const struct compile_step *step, const struct schema_node **ret,
			    struct err *err);

/* The subschema that is the keyword's whole value. */
nodiscard int compile_only(struct compiler *compiler, json_t *source,
			   const struct schema_node **ret, struct err *err);

/* Remembers a reference; it is resolved when all of the document is known. */
nodiscard int compile_reference(struct compiler *compiler, const char *text, bool is_dynamic,
				struct err *err);

/* Compiles a pattern of the keyword being taken. */
nodiscard int compile_pattern(struct compiler *compiler, const char *text, size_t length,
			      struct schema_pattern **ret, struct err *err);

nodiscard int take_annotation(struct compiler *compiler, json_t *value, struct err *err);

/* --- the store (schema_store.c) ---------------------------------------------------------- */

nodiscard int store_document(struct schema_store *store, const char *uri,
			     struct schema_document **ret, struct err *err);
struct schema_resource *store_resource(const struct schema_store *store, const char *uri);
nodiscard int store_add_resource(struct schema_store *store, const char *uri,
				 struct schema_resource *resource, struct err *err);
nodiscard int store_dialect(struct schema_store *store, const char *uri,
			    const struct schema_dialect **ret, struct err *err);
nodiscard int store_builtin(struct schema_store *store, const char *uri,
			    struct schema_document **ret, struct err *err);
struct schema_node *store_node(const struct schema_store *store, const json_t *source);
nodiscard int store_add_node(struct schema_store *store, struct schema_node *node,
			     struct err *err);

/* Forgets references that were not resolved because the compilation failed. */
void store_drop_pending(struct schema_store *store);

#define SCHEMA_DIALECT "https://json-schema.org/draft/2020-12/schema"

/* --- names and pointers ------------------------------------------------------------------ */

uint32_t names_hash(const struct schema_names *names, const char *key, size_t length);
const struct schema_property *names_find(const struct schema_names *names, const char *key,
					 size_t length);

/* Appends the pointer of the node in its resource; or its absolute URI with that pointer. */
void node_pointer(const struct schema_node *node, struct buf *ret);
void node_location(const struct schema_node *node, struct buf *ret);
/* Appends "/<segment>" with the escapes of RFC 6901, safe to show. */
void pointer_segment(struct buf *ret, const char *data, size_t length);
void node_step(const struct schema_node *node, struct buf *ret);

/* Marks properties that are required: then seeing the members is enough to know. */
void names_mark_required(struct schema_node *node);

/* The property whose name is nearest to `key`, NULL when none is near. */
const char *schema_nearest_name(const struct schema_node *node, const char *key, size_t length);
/* The same for the strings of an array. */
const char *schema_nearest_text(const json_t *list, const char *text, size_t length);

bool schema_is_name_near(const char *name, const char *key, size_t length);

#endif
