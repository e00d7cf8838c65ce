/*
 * Documents, resources and dialects of a store. A document is one JSON text; a resource is a
 * part of it that has a URI of its own; a dialect is what a meta-schema's $vocabulary allows.
 */
#include <string.h>

#include "validator/schema_node.h"

/* Documents that one store fetches; a chain that never ends must end. */
#define FETCHED_MAX 1000

/* --- the meta-schemas of the draft, embedded --------------------------------------------- */

/* The path is relative to the top of the checkout, where make runs the compiler. */
#define EMBED(symbol, file)                                                         \
	__asm__(".section .rodata\n" #symbol "_start:\n"                            \
		".incbin \"schema/draft2020-12/" file ".json\"\n" #symbol "_end:\n" \
		".byte 0\n"                                                         \
		".previous\n");                                                     \
	extern const char symbol##_start[] __attribute__((visibility("hidden")));   \
	extern const char symbol##_end[] __attribute__((visibility("hidden")))

EMBED(dialect_schema, "schema");
EMBED(dialect_core, "core");
EMBED(dialect_applicator, "applicator");
EMBED(dialect_unevaluated, "unevaluated");
EMBED(dialect_validation, "validation");
EMBED(dialect_meta_data, "meta-data");
EMBED(dialect_format_annotation, "format-annotation");
EMBED(dialect_format_assertion, "format-assertion");
EMBED(dialect_content, "content");

#define META "https://json-schema.org/draft/2020-12/"

static const struct {
	const char *uri;
	const char *start, *end;
} builtins[] = {
	{META "schema", dialect_schema_start, dialect_schema_end},
	{META "meta/core", dialect_core_start, dialect_core_end},
	{META "meta/applicator", dialect_applicator_start, dialect_applicator_end},
	{META "meta/unevaluated", dialect_unevaluated_start, dialect_unevaluated_end},
	{META "meta/validation", dialect_validation_start, dialect_validation_end},
	{META "meta/meta-data", dialect_meta_data_start, dialect_meta_data_end},
	{META "meta/format-annotation", dialect_format_annotation_start,
	 dialect_format_annotation_end},
	{META "meta/format-assertion", dialect_format_assertion_start,
	 dialect_format_assertion_end},
	{META "meta/content", dialect_content_start, dialect_content_end},
};

static const struct {
	const char *name;
	unsigned bit;
} vocabularies[] = {
	{META "vocab/core", VOCABULARY_CORE},
	{META "vocab/applicator", VOCABULARY_APPLICATOR},
	{META "vocab/unevaluated", VOCABULARY_UNEVALUATED},
	{META "vocab/validation", VOCABULARY_VALIDATION},
	{META "vocab/meta-data", VOCABULARY_META_DATA},
	{META "vocab/format-annotation", VOCABULARY_FORMAT_ANNOTATION},
	{META "vocab/format-assertion", VOCABULARY_FORMAT_ASSERTION},
	{META "vocab/content", VOCABULARY_CONTENT},
};

/* --- documents --------------------------------------------------------------------------- */

static int add_document(struct schema_store *store, const char *uri, json_t *take_value,
			struct schema_document **ret, struct err *err)
{
	struct schema_document *document = calloc(1, sizeof(*document));
	char *copy = strdup(uri);

	if (document == NULL || copy == NULL || take_value == NULL) {
		free(document);
		free(copy);
		json_decref(take_value);
		return err_errno(err, ENOMEM, "keep a schema");
	}
	document->uri = copy;
	document->value = take_value;
	document->next = store->documents;
	store->documents = document;
	*ret = document;
	return 0;
}

static struct schema_document *find_document(const struct schema_store *store, const char *uri)
{
	for (struct schema_document *document = store->documents; document != NULL;
	     document = document->next)
		if (strcmp(document->uri, uri) == 0)
			return document;
	return NULL;
}

int store_builtin(struct schema_store *store, const char *uri, struct schema_document **ret,
		  struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(builtins); i++) {
		size_t length = (size_t)(builtins[i].end - builtins[i].start);
		json_t *value;
		int status;

		if (strcmp(builtins[i].uri, uri) != 0)
			continue;
		value = json_loadb(builtins[i].start, length, 0, NULL);
		status = add_document(store, uri, value, ret, err);
		if (status == 0)
			(*ret)->is_builtin = true;
		return status;
	}
	return -ENOENT;
}

int schema_store_add(struct schema_store *store, const char *uri, json_t *document,
		     struct err *err)
{
	struct schema_document *added;

	if (find_document(store, uri) != NULL)
		return err_set(err, EEXIST, "schema: '%.200s' is registered twice", uri);
	return add_document(store, uri, json_incref(document), &added, err);
}

int store_document(struct schema_store *store, const char *uri, struct schema_document **ret,
		   struct err *err)
{
	struct schema_document *document = find_document(store, uri);
	json_t *value = NULL;
	int status;

	if (document != NULL) {
		*ret = document;
		return 0;
	}
	/* The draft's own documents are never fetched: nobody else says what they are. */
	status = store_builtin(store, uri, ret, err);
	if (status != -ENOENT)
		return status;
	if (store->source.load == NULL)
		return -ENOENT;
	if (store->fetched++ >= FETCHED_MAX)
		return err_set(err, EINVAL, "schema: needs more than %u other documents",
			       FETCHED_MAX);
	status = store->source.load(store->source.owner, uri, &value, err);
	return status < 0 ? status : add_document(store, uri, value, ret, err);
}

void schema_store_source(struct schema_store *store, const struct schema_source *source)
{
	store->source = *source;
}

/* --- resources --------------------------------------------------------------------------- */

struct schema_resource *store_resource(const struct schema_store *store, const char *uri)
{
	const json_t *index = json_object_get(store->by_uri, uri);

	return index != NULL ? store->resource_list[json_integer_value(index)] : NULL;
}

int store_add_resource(struct schema_store *store, const char *uri,
		       struct schema_resource *resource, struct err *err)
{
	struct schema_resource *other = store_resource(store, uri);
	struct schema_resource **grown;

	if (other != NULL && other->root != resource->root &&
	    json_equal(other->root, resource->root) != 1)
		return err_set(err, EINVAL, "schema: two schemas have the $id '%.200s'", uri);
	if (other != NULL)
		return 0;
	if ((store->resource_count & (store->resource_count - 1)) == 0) {
		size_t wanted = store->resource_count == 0 ? 1 : 2 * store->resource_count;

		grown = reallocarray(store->resource_list, wanted,
				     sizeof(struct schema_resource *));
		if (grown == NULL)
			return err_errno(err, ENOMEM, "compile a schema");
		store->resource_list = grown;
	}
	store->resource_list[store->resource_count] = resource;
	if (json_object_set_new_nocheck(store->by_uri, uri,
					json_integer((json_int_t)store->resource_count)) != 0)
		return err_errno(err, ENOMEM, "compile a schema");
	store->resource_count++;
	return 0;
}

/* --- dialects ---------------------------------------------------------------------------- */

static int read_vocabulary(const json_t *list, const char *uri, unsigned *ret, struct err *err)
{
	const char *name;
	json_t *is_required;
	bool is_known;

	*ret = VOCABULARY_CORE;
	json_object_foreach((json_t *)(uintptr_t)list, name, is_required)
	{
		is_known = false;
		for (size_t i = 0; i < ARRAY_COUNT(vocabularies); i++) {
			if (strcmp(vocabularies[i].name, name) != 0)
				continue;
			*ret |= vocabularies[i].bit;
			is_known = true;
		}
		if (!is_known && !json_is_false(is_required))
			return err_set(err, EINVAL,
				       "schema: the dialect '%.120s' needs the vocabulary "
				       "'%.120s', which is not known here",
				       uri, name);
	}
	return 0;
}

#define VOCABULARIES_DEFAULT                                                           \
	(VOCABULARY_CORE | VOCABULARY_APPLICATOR | VOCABULARY_UNEVALUATED |            \
	 VOCABULARY_VALIDATION | VOCABULARY_META_DATA | VOCABULARY_FORMAT_ANNOTATION | \
	 VOCABULARY_CONTENT)

static int make_dialect(struct schema_store *store, const char *uri,
			const struct schema_dialect **ret, struct err *err)
{
	unsigned bits = VOCABULARIES_DEFAULT;
	struct schema_document *document = NULL;
	struct schema_dialect *dialect;
	const json_t *list;
	int status = store_document(store, uri, &document, err);

	if (status == -ENOENT)
		return err_set(err, EINVAL,
			       "schema: the dialect '%.200s' is not known here; known is %s",
			       uri, SCHEMA_DIALECT);
	if (status < 0)
		return status;
	list = json_object_get(document->value, "$vocabulary");
	status = json_is_object(list) ? read_vocabulary(list, uri, &bits, err) : 0;
	if (status < 0)
		return status;
	dialect = calloc(1, sizeof(*dialect));
	if (dialect == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	dialect->next = store->dialects;
	store->dialects = dialect;
	dialect->vocabularies = bits;
	dialect->uri = strdup(uri);
	if (dialect->uri == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	*ret = dialect;
	return 0;
}

int store_dialect(struct schema_store *store, const char *uri,
		  const struct schema_dialect **ret, struct err *err)
{
	for (const struct schema_dialect *dialect = store->dialects; dialect != NULL;
	     dialect = dialect->next)
		if (strcmp(dialect->uri, uri) == 0) {
			*ret = dialect;
			return 0;
		}
	return make_dialect(store, uri, ret, err);
}

/* --- nodes by their source --------------------------------------------------------------- */

static size_t source_slot(const struct schema_store *store, const json_t *source)
{
	uint64_t hash = (uint64_t)(uintptr_t)source * 0x9E3779B97F4A7C15u;

	return (size_t)(hash >> 20) & (store->by_source_size - 1);
}

struct schema_node *store_node(const struct schema_store *store, const json_t *source)
{
	if (store->by_source_size == 0)
		return NULL;
	for (size_t at = source_slot(store, source); store->by_source[at] != NULL;
	     at = (at + 1) & (store->by_source_size - 1))
		if (store->by_source[at]->source == source)
			return store->by_source[at];
	return NULL;
}

static void put_node(struct schema_store *store, struct schema_node *node)
{
	size_t at = source_slot(store, node->source);

	while (store->by_source[at] != NULL)
		at = (at + 1) & (store->by_source_size - 1);
	store->by_source[at] = node;
}

static int grow_nodes(struct schema_store *store, struct err *err)
{
	size_t size = store->by_source_size == 0 ? 256 : 2 * store->by_source_size;
	struct schema_node **grown = calloc(size, sizeof(struct schema_node *));

	if (grown == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	free(store->by_source);
	store->by_source = grown;
	store->by_source_size = size;
	for (struct schema_node *node = store->nodes; node != NULL; node = node->next)
		if (json_is_object(node->source))
			put_node(store, node);
	return 0;
}

int store_add_node(struct schema_store *store, struct schema_node *node, struct err *err)
{
	node->next = store->nodes;
	store->nodes = node;
	store->node_count++;
	if (2 * store->node_count > store->by_source_size)
		return grow_nodes(store, err);
	/* true and false are shared values in jansson: only objects have an identity. */
	if (json_is_object(node->source))
		put_node(store, node);
	return 0;
}

/* --- life -------------------------------------------------------------------------------- */

int schema_store_new(struct schema_store **ret, struct err *err)
{
	struct schema_store *store = calloc(1, sizeof(*store));

	if (store != NULL)
		store->by_uri = json_object();
	if (store == NULL || store->by_uri == NULL) {
		free(store);
		return err_errno(err, ENOMEM, "make a schema store");
	}
	store->references = 1;
	/* Addresses are random per process: chosen names do not collide. */
	store->seed = (uint32_t)((uintptr_t)store >> 4) * 0x9E3779B9u;
	*ret = store;
	return 0;
}

static void node_free(struct schema_node *node)
{
	for (size_t i = 0; i < node->matching_count; i++)
		schema_pattern_free(node->matching[i].pattern);
	schema_pattern_free(node->pattern);
	free(node->orphan);
	free(node->matching);
	free(node->dependencies);
	free(node->properties.list);
	free(node->properties.slots);
	free(node->prefix.items);
	free(node->all.items);
	free(node->any.items);
	free(node->one.items);
	free(node);
}

static void store_free_compiled(struct schema_store *store)
{
	while (store->nodes != NULL) {
		struct schema_node *node = store->nodes;

		store->nodes = node->next;
		node_free(node);
	}
	while (store->resources != NULL) {
		struct schema_resource *resource = store->resources;

		store->resources = resource->next;
		free(resource->anchors);
		free(resource->uri);
		free(resource);
	}
	while (store->dialects != NULL) {
		struct schema_dialect *dialect = store->dialects;

		store->dialects = dialect->next;
		free(dialect->uri);
		free(dialect);
	}
}

void schema_store_free(struct schema_store *store)
{
	if (store == NULL || --store->references > 0)
		return;
	store_free_compiled(store);
	store_drop_pending(store);
	while (store->documents != NULL) {
		struct schema_document *document = store->documents;

		store->documents = document->next;
		json_decref(document->value);
		free(document->uri);
		free(document);
	}
	json_decref(store->by_uri);
	free(store->resource_list);
	free(store->by_source);
	free(store);
}
