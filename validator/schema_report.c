/* What a judgement tells: errors, annotations, and the output formats of the specification. */
#include <stdarg.h>
#include <string.h>

#include "validator/schema_check.h"

#define POINTER_BYTES_MAX 8192 /* one pointer or location; longer ones are cut */
#define TEXT_BYTES_MAX	  320  /* one or two sentences */
#define CHAIN_MAX	  4096 /* links of a way: twice what the checker allows */

void schema_report_init(struct schema_report *report)
{
	*report = (struct schema_report){.work_max = SCHEMA_WORK_DEFAULT};
}

static void error_done(struct schema_error *error)
{
	free(error->instance);
	free(error->path);
	free(error->location);
	free(error->member);
	free(error->text);
	free(error->hint);
}

static void note_done(struct schema_note *note)
{
	free(note->instance);
	free(note->path);
	free(note->location);
}

void schema_report_done(struct schema_report *report)
{
	for (size_t i = 0; i < report->error_count; i++)
		error_done(&report->errors[i]);
	for (size_t i = 0; i < report->note_count; i++)
		note_done(&report->notes[i]);
	free(report->errors);
	free(report->notes);
	schema_report_init(report);
}

/* --- pointers ---------------------------------------------------------------------------- */

/* RFC 6901 section 3: "~" is written ~0, "/" is written ~1. */
void pointer_segment(struct buf *ret, const char *data, size_t length)
{
	char safe[256];
	const char *text = text_show(safe, sizeof(safe), data, length);

	buf_add_char(ret, '/');
	for (; *text != '\0'; text++) {
		if (*text == '~')
			buf_add_str(ret, "~0");
		else if (*text == '/')
			buf_add_str(ret, "~1");
		else
			buf_add_char(ret, *text);
	}
}

void node_step(const struct schema_node *node, struct buf *ret)
{
	if (node->keyword != NULL)
		pointer_segment(ret, node->keyword, strlen(node->keyword));
	if (node->key != NULL)
		pointer_segment(ret, node->key, node->key_length);
	if (node->index != SIZE_MAX)
		buf_printf(ret, "/%zu", node->index);
}

void node_pointer(const struct schema_node *node, struct buf *ret)
{
	const struct schema_node *chain[CHAIN_MAX];
	const struct schema_node *top = node->resource != NULL ? node->resource->node : NULL;
	size_t count = 0;

	for (; node != NULL && node != top && count < CHAIN_MAX; node = node->parent)
		chain[count++] = node;
	while (count-- > 0) {
		if (chain[count]->orphan != NULL)
			buf_add_str(ret, chain[count]->orphan);
		node_step(chain[count], ret);
	}
}

void node_location(const struct schema_node *node, struct buf *ret)
{
	buf_add_str(ret, node->resource->uri);
	buf_add_char(ret, '#');
	node_pointer(node, ret);
}

static void place_pointer(const struct place *place, struct buf *ret)
{
	const struct place *chain[CHAIN_MAX];
	size_t count = 0;

	for (; place != NULL && count < CHAIN_MAX; place = place->parent)
		chain[count++] = place;
	while (count-- > 0) {
		if (chain[count]->key != NULL)
			pointer_segment(ret, chain[count]->key, chain[count]->length);
		else
			buf_printf(ret, "/%zu", chain[count]->index);
	}
}

static void way_pointer(const struct frame *frame, struct buf *ret)
{
	const struct frame *chain[CHAIN_MAX];
	size_t count = 0;

	for (; frame != NULL && count < CHAIN_MAX; frame = frame->outer)
		chain[count++] = frame;
	while (count-- > 0) {
		if (chain[count]->by != NULL)
			pointer_segment(ret, chain[count]->by, strlen(chain[count]->by));
		else if (chain[count]->outer != NULL)
			node_step(chain[count]->node, ret);
	}
}

static bool is_keyword(const char *keyword)
{
	return strcmp(keyword, "false") != 0 && strcmp(keyword, "depth") != 0;
}

/* A text of the caller's, safe to show; takes the buffer's. */
static char *shown(struct buf *take_text)
{
	char *text = malloc(take_text->length + 1);

	if (text != NULL && take_text->data != NULL)
		(void)text_show(text, take_text->length + 1, take_text->data,
				take_text->length);
	else if (text != NULL)
		text[0] = '\0';
	buf_done(take_text);
	return text;
}

/* The three places of an error or a note; false: no memory. A pointer that is too long stays
 * cut: what was written is a prefix. A URI of the schema may have any character. */
static bool write_places(const struct checker *checker, const struct schema_node *node,
			 const char *keyword, const struct place *place, char *ret[3])
{
	struct buf texts[3];

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		buf_init(&texts[i], POINTER_BYTES_MAX);
	place_pointer(place, &texts[0]);
	way_pointer(checker->frame, &texts[1]);
	node_location(node, &texts[2]);
	for (size_t i = 1; i < ARRAY_COUNT(texts) && is_keyword(keyword); i++)
		pointer_segment(&texts[i], keyword, strlen(keyword));
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		ret[i] = shown(&texts[i]);
	return ret[0] != NULL && ret[1] != NULL && ret[2] != NULL;
}

/* --- errors ------------------------------------------------------------------------------ */

/* Makes room for one more; the array doubles when its count is a power of two. */
static void *grow(void *list, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return list;
	return reallocarray(list, count == 0 ? 1 : 2 * count, size);
}

__attribute__((format(printf, 1, 0))) static char *format_text(const char *format, va_list args)
{
	char text[TEXT_BYTES_MAX];
	char safe[TEXT_BYTES_MAX];

	(void)vsnprintf(text, sizeof(text), format, args);
	/* What was cut between the bytes of a character is repaired here. */
	return strdup(text_show(safe, sizeof(safe), text, strlen(text)));
}

struct schema_error *error_add(struct checker *checker, const struct schema_node *node,
			       const char *keyword, const struct place *place,
			       const char *format, ...)
{
	struct schema_report *report = checker->report;
	struct schema_error *error;
	char *places[3];
	void *grown;
	va_list args;

	if (report == NULL || checker->wants_notes || checker->work == 0)
		return NULL;
	grown = report->error_count < SCHEMA_ERRORS_MAX
			? grow(report->errors, report->error_count, sizeof(*error))
			: NULL;
	if (grown == NULL) {
		report->has_more = true;
		return NULL;
	}
	report->errors = grown;
	error = &report->errors[report->error_count];
	*error = (struct schema_error){.parent = checker->parent,
				       .branch = checker->branch,
				       .is_hinted = node->hint != NULL,
				       .keyword = keyword};
	if (write_places(checker, node, keyword, place, places))
		report->error_count++;
	error->instance = places[0];
	error->path = places[1];
	error->location = places[2];
	va_start(args, format);
	error->text = format_text(format, args);
	va_end(args);
	error->hint = strdup(node->hint != NULL ? node->hint : "");
	/* The node's own hint is final: the caller sets none on NULL. */
	return node->hint != NULL ? NULL : error;
}

void error_hint(struct schema_error *error, const char *format, ...)
{
	va_list args;

	if (error == NULL)
		return;
	free(error->hint);
	va_start(args, format);
	error->hint = format_text(format, args);
	va_end(args);
}

void error_member(struct schema_error *error, const char *name)
{
	if (error != NULL)
		error->member = strdup(name);
}

/* The fewest digits that mean this number: 0.1, not 0.10000000000000001. */
static size_t digits_of(const json_t *value)
{
	char text[40];
	size_t digits = 15;

	while (json_is_real(value) && digits < 17) {
		(void)snprintf(text, sizeof(text), "%.*g", (int)digits, json_real_value(value));
		if (strtod(text, NULL) == json_real_value(value))
			break;
		digits++;
	}
	return json_is_real(value) ? digits : 17;
}

const char *value_show(const json_t *value, char *ret, size_t size)
{
	own_mem char *text = NULL;

	/* A large value is not written out for the sake of its first characters. */
	if (json_object_size(value) > 64)
		return text_show(ret, size, "an object", 9);
	if (json_array_size(value) > 512)
		return text_show(ret, size, "an array", 8);
	if (json_is_string(value) && json_string_length(value) > 512)
		return text_show(ret, size, json_string_value(value), 512);
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT |
					 JSON_REAL_PRECISION(digits_of(value)));
	return text != NULL ? text_show(ret, size, text, strlen(text))
			    : text_show(ret, size, "?", 1);
}

/* --- annotations ------------------------------------------------------------------------- */

static bool is_applied(const char *name)
{
	/* Keywords whose result is a verdict or a reference and not a value to report. */
	static const struct schema_keyword *const tables[] = {
		schema_applicator_keywords,
		schema_validation_keywords,
		schema_unevaluated_keywords,
	};

	for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
		for (const struct schema_keyword *keyword = tables[i]; keyword->name != NULL;
		     keyword++)
			if (strcmp(keyword->name, name) == 0)
				return true;
	return name[0] == '$';
}

void notes_add(struct checker *checker, const struct schema_node *node,
	       const struct place *place)
{
	struct schema_report *report = checker->report;
	const char *name;
	json_t *value;

	json_object_foreach(node->source, name, value)
	{
		char *places[3];
		void *grown = NULL;

		if (is_applied(name))
			continue;
		if (report->note_count < SCHEMA_NOTES_MAX)
			grown = grow(report->notes, report->note_count, sizeof(*report->notes));
		if (grown == NULL) {
			report->has_more = true;
			return;
		}
		report->notes = grown;
		if (!write_places(checker, node, name, place, places))
			(void)checker_stop(checker, "out of memory");
		report->notes[report->note_count++] =
			(struct schema_note){places[0], places[1], places[2], value};
	}
}

void notes_cut(struct checker *checker, size_t count)
{
	if (!checker->wants_notes)
		return;
	while (checker->report->note_count > count)
		note_done(&checker->report->notes[--checker->report->note_count]);
}

/* --- output ------------------------------------------------------------------------------ */

static json_t *unit(const char *path, const char *location, const char *instance)
{
	return json_pack("{s:s, s:s, s:s}", "keywordLocation", path, "absoluteKeywordLocation",
			 location, "instanceLocation", instance);
}

static json_t *error_unit(const struct schema_error *error)
{
	json_t *object = unit(error->path, error->location, error->instance);

	(void)json_object_set_new(object, "keyword", json_string(error->keyword));
	(void)json_object_set_new(object, "error", json_string(error->text));
	if (error->hint != NULL && error->hint[0] != '\0')
		(void)json_object_set_new(object, "hint", json_string(error->hint));
	return object;
}

static json_t *errors_flat(const struct schema_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->error_count; i++)
		(void)json_array_append_new(list, error_unit(&report->errors[i]));
	return list;
}

/* Errors stand below the combination whose failure they explain. An error comes after the one
 * it explains, so one pass is enough. */
static json_t *errors_nested(const struct schema_report *report)
{
	json_t *units[SCHEMA_ERRORS_MAX] = {NULL};
	json_t *list = json_array();

	for (size_t i = 0; i < report->error_count; i++) {
		size_t parent = report->errors[i].parent;
		json_t *below = list;

		units[i] = error_unit(&report->errors[i]);
		if (parent < i && units[parent] != NULL) {
			below = json_object_get(units[parent], "errors");
			if (below == NULL) {
				below = json_array();
				(void)json_object_set_new(units[parent], "errors", below);
			}
		}
		(void)json_array_append_new(below, units[i]);
	}
	return list;
}

static json_t *notes_flat(const struct schema_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->note_count; i++) {
		const struct schema_note *note = &report->notes[i];
		json_t *object = unit(note->path, note->location, note->instance);

		(void)json_object_set(object, "annotation", note->value);
		(void)json_array_append_new(list, object);
	}
	return list;
}

static json_t *output(const struct schema_report *report, enum schema_verdict verdict,
		      enum schema_output format)
{
	json_t *document = json_pack("{s:b}", "valid", verdict == SCHEMA_VALID);

	if (format == SCHEMA_OUTPUT_FLAG)
		return document;
	(void)json_object_set_new(document, "keywordLocation", json_string(""));
	(void)json_object_set_new(document, "instanceLocation", json_string(""));
	if (verdict == SCHEMA_VALID && report->note_count > 0)
		(void)json_object_set_new(document, "annotations", notes_flat(report));
	if (verdict != SCHEMA_VALID)
		(void)json_object_set_new(document, "errors",
					  format == SCHEMA_OUTPUT_BASIC
						  ? errors_flat(report)
						  : errors_nested(report));
	return document;
}

void schema_report_write(const struct schema_report *report, enum schema_verdict verdict,
			 enum schema_output format, struct buf *ret)
{
	json_t *document = output(report, verdict, format);
	own_mem char *text = json_dumps(document, JSON_INDENT(2));

	json_decref(document);
	if (text == NULL)
		ret->has_failed = true;
	else
		buf_add_str(ret, text);
}
