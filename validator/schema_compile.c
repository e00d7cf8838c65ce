/*
 * Documents to nodes: every subschema of a document is compiled, then references are resolved
 * (which may bring in further documents), then each document is judged by its meta-schema.
 */
#include <string.h>

#include "validator/schema_node.h"
#include "validator/schema_uri.h"

/* Nesting of schemas: bounds the recursion. The deepest honest ones have about 20 levels. */
#define COMPILE_DEPTH_MAX 256

/* Subschemas in one store, of about 600 bytes each. The largest public ones have 20,000. */
#define COMPILE_NODES_MAX 65536

/* Text of all patterns of one store, bytes; translated it grows up to sixtyfold. */
#define COMPILE_PATTERNS_MAX (1u << 20)

struct schema_pending {
	struct schema_pending *next;
	struct schema_node *node;
	const char *text; /* of the document */
	unsigned flags;
	bool is_dynamic;
};

/* Where a node stands, until it exists. */
struct position {
	const struct schema_node *parent; /* NULL: a root or an orphan */
	const char *keyword;
	struct compile_step step;
	const char *uri;		  /* of a root's document */
	struct schema_resource *resource; /* of an orphan */
	const char *orphan;
};

static const struct compile_step no_step = {.index = SIZE_MAX};

int compile_error(const struct compiler *compiler, const char *key, const char *what,
		  struct err *err)
{
	own_buf pointer;

	buf_init(&pointer, 4096);
	node_pointer(compiler->node, &pointer);
	if (compiler->keyword != NULL)
		pointer_segment(&pointer, compiler->keyword, strlen(compiler->keyword));
	if (key != NULL)
		pointer_segment(&pointer, key, strlen(key));
	return err_set(err, EINVAL, "schema: '%.150s' %s",
		       pointer.data != NULL ? pointer.data : "", what);
}

int compile_dependencies_room(struct compiler *compiler, const json_t *value, struct err *err)
{
	struct schema_node *node = compiler->node;
	struct schema_dependency *grown;

	if (!json_is_object(value))
		return compile_error(compiler, NULL, "must be an object", err);
	grown = reallocarray(node->dependencies,
			     node->dependency_count + json_object_size(value) + 1,
			     sizeof(*grown));
	if (grown == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	node->dependencies = grown;
	return 0;
}

int compile_pattern(struct compiler *compiler, const char *text, size_t length,
		    struct schema_pattern **ret, struct err *err)
{
	struct err why = {0};

	compiler->store->pattern_bytes += length;
	if (compiler->store->pattern_bytes > COMPILE_PATTERNS_MAX)
		return compile_error(compiler, NULL, "is one pattern too many", err);
	if (schema_pattern_new(text, length, ret, &why) < 0)
		return compile_error(compiler, NULL, why.text, err);
	return 0;
}

int take_annotation(struct compiler *compiler, json_t *value, struct err *err)
{
	(void)compiler;
	(void)value;
	(void)err;
	return 0;
}

/* --- nodes ------------------------------------------------------------------------------- */

static const struct schema_keyword *const tables[] = {
	schema_core_keywords,	     schema_applicator_keywords, schema_validation_keywords,
	schema_unevaluated_keywords, schema_format_keywords,	 schema_content_keywords,
};

static int take_keyword(struct compiler *compiler, const char *name, json_t *value,
			struct err *err)
{
	unsigned known = compiler->node->resource->dialect->vocabularies;

	compiler->keyword = name;
	for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
		for (const struct schema_keyword *keyword = tables[i]; keyword->name != NULL;
		     keyword++)
			if ((keyword->vocabularies & known) != 0 &&
			    strcmp(keyword->name, name) == 0)
				return keyword->take(compiler, value, err);
	if ((compiler->flags & SCHEMA_STRICT) != 0 && strncmp(name, "x-", 2) != 0)
		return compile_error(compiler, NULL, "is an unknown keyword", err);
	return 0;
}

static int node_fill(struct compiler *compiler, struct err *err)
{
	json_t *source = compiler->node->source;
	const char *name;
	json_t *value;

	if (json_is_boolean(source)) {
		compiler->node->is_never = json_is_false(source);
		return 0;
	}
	if (!json_is_object(source))
		return compile_error(compiler, NULL, "must be an object or a boolean", err);
	json_object_foreach(source, name, value)
	{
		int status = take_keyword(compiler, name, value, err);

		if (status < 0)
			return status;
	}
	return 0;
}

/* A resource of its own for a root or a schema with an $id. */
static int resource_new(struct compiler *compiler, const char *take_uri,
			const struct schema_resource *outer, struct err *err)
{
	struct schema_node *node = compiler->node;
	struct schema_resource *resource = calloc(1, sizeof(*resource));
	const json_t *dialect = json_object_get(node->source, "$schema");
	own_mem char *uri = NULL;
	const char *fragment;
	int status;

	if (resource == NULL) {
		free((char *)(uintptr_t)take_uri);
		return err_errno(err, ENOMEM, "compile a schema");
	}
	resource->uri = (char *)(uintptr_t)take_uri;
	resource->root = node->source;
	resource->node = node;
	resource->next = compiler->store->resources;
	compiler->store->resources = resource;
	node->resource = resource;
	if (resource->uri[0] != '\0' || store_resource(compiler->store, "") == NULL) {
		status = store_add_resource(compiler->store, resource->uri, resource, err);
		if (status < 0)
			return status;
	}
	if (dialect == NULL && outer != NULL) {
		resource->dialect = outer->dialect;
		return 0;
	}
	status = uri_resolve("",
			     dialect == NULL	       ? SCHEMA_DIALECT
			     : json_is_string(dialect) ? json_string_value(dialect)
						       : "?",
			     &uri, &fragment);
	if (status < 0)
		return err_errno(err, -status, "compile a schema");
	return store_dialect(compiler->store, uri, &resource->dialect, err);
}

static int node_resource(struct compiler *compiler, const struct position *position,
			 struct err *err)
{
	struct schema_node *node = compiler->node;
	struct schema_resource *outer =
		position->parent != NULL ? position->parent->resource : position->resource;
	const json_t *id = json_object_get(node->source, "$id");
	char *uri = NULL;
	const char *fragment;
	int status;

	node->resource = outer;
	if (outer != NULL && !json_is_string(id))
		return 0;
	status = uri_resolve(outer != NULL ? outer->uri : position->uri,
			     json_is_string(id) ? json_string_value(id) : "", &uri, &fragment);
	if (status < 0)
		return err_errno(err, -status, "schema: $id");
	return resource_new(compiler, uri, outer, err);
}

static int node_new(struct compiler *compiler, json_t *source, const struct position *position,
		    struct err *err)
{
	struct schema_node *node;

	if (compiler->store->node_count >= COMPILE_NODES_MAX)
		return err_set(err, EINVAL, "schema: more than %u schemas", COMPILE_NODES_MAX);
	node = calloc(1, sizeof(*node));
	if (node == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	node->source = source;
	node->parent = position->parent;
	node->keyword = position->keyword;
	node->key = position->step.key;
	node->key_length = position->step.key_length;
	node->index = position->step.index;
	node->length_max = SIZE_MAX;
	node->items_max = SIZE_MAX;
	node->members_max = SIZE_MAX;
	node->contains_min = 1;
	node->contains_max = SIZE_MAX;
	compiler->node = node;
	/* Registered before its members are compiled: the store frees it whatever happens. */
	if (position->orphan != NULL) {
		node->orphan = strdup(position->orphan);
		if (node->orphan == NULL) {
			free(node);
			return err_errno(err, ENOMEM, "compile a schema");
		}
	}
	return store_add_node(compiler->store, node, err);
}

static int node_compile(const struct compiler *outer, json_t *source,
			const struct position *position, const struct schema_node **ret,
			struct err *err)
{
	struct compiler compiler = {
		.store = outer->store, .flags = outer->flags, .depth = outer->depth + 1};
	const struct schema_node *known =
		json_is_object(source) ? store_node(outer->store, source) : NULL;
	int status;

	if (known != NULL) {
		*ret = known;
		return 0;
	}
	if (compiler.depth > COMPILE_DEPTH_MAX)
		return compile_error(outer, NULL, "is nested too deeply", err);
	status = node_new(&compiler, source, position, err);
	if (status == 0)
		status = node_resource(&compiler, position, err);
	if (status < 0)
		return status;
	*ret = compiler.node;
	status = node_fill(&compiler, err);
	if (status == 0)
		names_mark_required(compiler.node);
	return status;
}

int compile_child(struct compiler *compiler, json_t *source, const struct compile_step *step,
		  const struct schema_node **ret, struct err *err)
{
	const struct position position = {
		.parent = compiler->node, .keyword = compiler->keyword, .step = *step};

	return node_compile(compiler, source, &position, ret, err);
}

int compile_only(struct compiler *compiler, json_t *source, const struct schema_node **ret,
		 struct err *err)
{
	return compile_child(compiler, source, &no_step, ret, err);
}

static int document_compile(struct schema_store *store, struct schema_document *document,
			    unsigned flags, struct err *err)
{
	const struct compiler outer = {.store = store,
				       .flags = document->is_builtin ? 0 : flags};
	const struct position position = {.uri = document->uri, .step = no_step};
	const struct schema_node *root = NULL;
	int status;

	if (document->resource != NULL)
		return 0;
	status = node_compile(&outer, document->value, &position, &root, err);
	if (status < 0)
		return status;
	document->resource = root->resource;
	/* It is known by the URI it was found under and by its own $id. */
	return document->uri[0] != '\0'
		       ? store_add_resource(store, document->uri, root->resource, err)
		       : 0;
}

/* --- references -------------------------------------------------------------------------- */

int compile_reference(struct compiler *compiler, const char *text, bool is_dynamic,
		      struct err *err)
{
	struct schema_pending *pending = malloc(sizeof(*pending));

	if (pending == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	*pending = (struct schema_pending){.next = compiler->store->pending,
					   .node = compiler->node,
					   .text = text,
					   .flags = compiler->flags,
					   .is_dynamic = is_dynamic};
	compiler->store->pending = pending;
	return 0;
}

void store_drop_pending(struct schema_store *store)
{
	while (store->pending != NULL) {
		struct schema_pending *pending = store->pending;

		store->pending = pending->next;
		free(pending);
	}
}

static const struct schema_anchor *find_anchor(const struct schema_resource *resource,
					       const char *name)
{
	for (size_t i = 0; i < resource->anchor_count; i++)
		if (strcmp(resource->anchors[i].name, name) == 0)
			return &resource->anchors[i];
	return NULL;
}

/* Takes the next segment of a pointer out of `text`: NUL-terminates it and undoes its escapes
 * (RFC 6901 section 4). Returns what follows, NULL: nothing. */
static char *next_segment(char *text)
{
	char *end = strchr(text, '/');
	char *out = text;

	if (end != NULL)
		*end++ = '\0';
	for (const char *at = text; *at != '\0'; at++) {
		if (at[0] == '~' && (at[1] == '0' || at[1] == '1'))
			*out++ = *++at == '0' ? '~' : '/';
		else
			*out++ = *at;
	}
	*out = '\0';
	return end;
}

static json_t *step_into(json_t *at, const char *segment)
{
	size_t digits = strspn(segment, "0123456789");

	if (json_is_object(at))
		return json_object_get(at, segment);
	if (!json_is_array(at) || digits == 0 || segment[digits] != '\0' || digits > 9 ||
	    (segment[0] == '0' && digits > 1))
		return NULL;
	return json_array_get(at, (size_t)strtoul(segment, NULL, 10));
}

/* Walks a pointer from the resource's root. What it finds may lie in a resource within, or
 * where only unknown keywords lead: then it is compiled now. */
static int resolve_pointer(const struct compiler *compiler, struct schema_resource *resource,
			   const char *pointer, const struct schema_node **ret, struct err *err)
{
	own_mem char *text = strdup(pointer + 1);
	struct position position = {.resource = resource, .orphan = pointer, .step = no_step};
	json_t *at = resource->root;
	char *segment = text;

	if (text == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	while (at != NULL && segment != NULL) {
		char *rest = next_segment(segment);
		const struct schema_node *node;

		at = step_into(at, segment);
		segment = rest;
		node = at != NULL && json_is_object(at) ? store_node(compiler->store, at)
							: NULL;
		if (node != NULL)
			position.resource = node->resource;
	}
	if (at == NULL)
		return -ENOENT;
	return node_compile(compiler, at, &position, ret, err);
}

static int find_resource(const struct compiler *compiler, const char *uri,
			 struct schema_resource **ret, struct err *err)
{
	struct schema_resource *own = compiler->node->resource;
	struct schema_document *document = NULL;
	int status;

	*ret = strcmp(own->uri, uri) == 0 ? own : store_resource(compiler->store, uri);
	if (*ret != NULL || uri[0] == '\0')
		return *ret != NULL ? 0 : -ENOENT;
	status = store_document(compiler->store, uri, &document, err);
	if (status == 0)
		status = document_compile(compiler->store, document, compiler->flags, err);
	if (status == 0)
		*ret = document->resource;
	return status;
}

static int resolve(struct compiler *compiler, const struct schema_pending *pending,
		   const struct schema_node **ret, struct err *err)
{
	struct schema_node *node = compiler->node;
	struct schema_resource *resource = NULL;
	const struct schema_anchor *anchor;
	own_mem char *uri = NULL;
	own_mem char *fragment = NULL;
	const char *tail = NULL;
	int status = uri_resolve(node->resource->uri, pending->text, &uri, &tail);

	if (status == 0)
		status = find_resource(compiler, uri, &resource, err);
	if (status < 0)
		return status;
	fragment = strdup(tail);
	if (fragment == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	if (uri_decode(fragment) < 0)
		return -ENOENT;
	*ret = resource->node;
	if (fragment[0] == '\0')
		return 0;
	if (fragment[0] == '/')
		return resolve_pointer(compiler, resource, fragment, ret, err);
	anchor = find_anchor(resource, fragment);
	if (anchor == NULL)
		return -ENOENT;
	*ret = anchor->node;
	if (pending->is_dynamic && anchor->is_dynamic)
		node->dynamic_name = anchor->name;
	return 0;
}

/* -ENOENT: nothing known here has that name, yet. */
static int resolve_one(struct schema_store *store, const struct schema_pending *pending,
		       struct err *err)
{
	struct compiler compiler = {.store = store,
				    .node = pending->node,
				    .keyword = pending->is_dynamic ? "$dynamicRef" : "$ref",
				    .flags = pending->flags};
	const struct schema_node *target = NULL;
	int status = resolve(&compiler, pending, &target, err);

	if (status == -EINVAL && err->text[0] == '\0')
		return compile_error(&compiler, NULL, "is no usable reference", err);
	if (status < 0)
		return status;
	if (pending->is_dynamic)
		pending->node->dynamic = target;
	else
		pending->node->reference = target;
	return 0;
}

static int refuse_pending(struct schema_store *store, const struct schema_pending *pending,
			  struct err *err)
{
	const struct compiler compiler = {.store = store,
					  .node = pending->node,
					  .keyword =
						  pending->is_dynamic ? "$dynamicRef" : "$ref"};

	return compile_error(&compiler, NULL, "points to nothing that is known here", err);
}

/* A document that one reference brings in may hold, under an $id of its own, what another is
 * looking for: what is not found waits until nothing more comes. */
static int resolve_pending(struct schema_store *store, struct err *err)
{
	struct schema_pending *waiting = NULL;
	size_t known = 0;
	int status = 0;

	while (status == 0 && (store->pending != NULL || waiting != NULL)) {
		struct schema_pending *pending = store->pending;

		if (pending == NULL) {
			store->pending = waiting;
			waiting = NULL;
			if (store->resource_count == known)
				return refuse_pending(store, store->pending, err);
			known = store->resource_count;
			continue;
		}
		store->pending = pending->next;
		status = resolve_one(store, pending, err);
		if (status == -ENOENT) {
			pending->next = waiting;
			waiting = pending;
			status = 0;
			continue;
		}
		free(pending);
	}
	while (waiting != NULL) {
		struct schema_pending *next = waiting->next;

		waiting->next = store->pending;
		store->pending = waiting;
		waiting = next;
	}
	return status;
}

/* --- meta-schemas ------------------------------------------------------------------------ */

/* Each subschema is judged by eight meta-schemas; COMPILE_NODES_MAX of them take about half. */
#define META_WORK (10 * (uint64_t)SCHEMA_WORK_DEFAULT)

static int judge_document(struct schema_store *store, const struct schema_document *document,
			  const struct schema_document *meta, struct err *err)
{
	const struct schema schema = {.store = store, .root = meta->resource->node};
	own_schema_report report = {.errors = NULL};
	enum schema_verdict verdict;

	schema_report_init(&report);
	report.work_max = META_WORK;
	verdict = schema_judge(&schema, document->value, &report);
	if (verdict == SCHEMA_VALID)
		return 0;
	if (verdict == SCHEMA_UNDECIDED || report.error_count == 0)
		return err_set(err, EINVAL, "schema: cannot be judged by its meta-schema: %s",
			       report.reason != NULL ? report.reason : "no memory");
	return err_set(err, EINVAL, "schema: '%.150s' %s", report.errors[0].instance,
		       report.errors[0].text);
}

static int check_document(struct schema_store *store, struct schema_document *document,
			  unsigned flags, struct err *err)
{
	struct schema_document *meta = NULL;
	int status = store_document(store, document->resource->dialect->uri, &meta, err);

	if (status == 0)
		status = document_compile(store, meta, flags & ~(unsigned)SCHEMA_STRICT, err);
	if (status == 0)
		status = resolve_pending(store, err);
	return status == 0 ? judge_document(store, document, meta, err) : status;
}

/* Meta-schemas may bring in documents that have meta-schemas. */
static int check_documents(struct schema_store *store, unsigned flags, struct err *err)
{
	struct schema_document *document = store->documents;

	while (document != NULL) {
		int status;

		if (document->resource == NULL || document->is_checked ||
		    document->is_builtin) {
			document = document->next;
			continue;
		}
		document->is_checked = true;
		status = check_document(store, document, flags, err);
		if (status < 0)
			return status;
		document = store->documents;
	}
	return 0;
}

/* --- the whole --------------------------------------------------------------------------- */

static int root_document(struct schema_store *store, const char *uri, json_t *value,
			 struct schema_document **ret, struct err *err)
{
	struct schema_document *document = calloc(1, sizeof(*document));

	if (document != NULL)
		document->uri = strdup(uri);
	if (document == NULL || document->uri == NULL) {
		free(document);
		return err_errno(err, ENOMEM, "compile a schema");
	}
	document->value = json_incref(value);
	document->next = store->documents;
	store->documents = document;
	*ret = document;
	return 0;
}

int schema_store_compile(struct schema_store *store, const char *uri, json_t *document,
			 unsigned flags, struct schema **ret, struct err *err)
{
	struct schema *schema = calloc(1, sizeof(*schema));
	struct schema_document *root = NULL;
	struct err ignored = {0};
	int status;

	if (schema == NULL)
		return err_errno(err, ENOMEM, "compile a schema");
	err = err != NULL ? err : &ignored;
	err->text[0] = '\0';
	status = root_document(store, uri, document, &root, err);
	if (status == 0)
		status = document_compile(store, root, flags, err);
	if (status == 0)
		status = resolve_pending(store, err);
	if (status == 0)
		status = check_documents(store, flags, err);
	if (status < 0) {
		free(schema);
		return status;
	}
	*schema = (struct schema){.store = store,
				  .document = json_incref(document),
				  .root = root->resource->node};
	store->references++;
	*ret = schema;
	return 0;
}

int schema_compile(json_t *document, unsigned flags, struct schema **ret, struct err *err)
{
	struct schema_store *store = NULL;
	int status = schema_store_new(&store, err);

	if (status == 0)
		status = schema_store_compile(store, "", document, flags, ret, err);
	schema_store_free(store);
	return status;
}

void schema_free(struct schema *schema)
{
	if (schema == NULL)
		return;
	json_decref(schema->document);
	schema_store_free(schema->store);
	free(schema);
}

void schema_drop(struct schema **schema)
{
	schema_free(*schema);
}
