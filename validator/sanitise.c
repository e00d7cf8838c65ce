#include "validator/sanitise.h"

#include <string.h>

#include "base/utf8.h"
#include "validator/faults.h"
#include "validator/paths.h"

#define SHOWN_BYTES  80 /* of a path or a name */
#define DETAIL_BYTES 256

struct work {
	json_t *document; /* borrowed */
	struct sanitised *out;
	struct jsonw json;
	bool is_out_of_memory;
};

/* --- entries ----------------------------------------------------------------------------- */

static void tell(struct work *work, const struct place *place, const char *change,
		 const char *detail)
{
	char pointer[FAULT_POINTER_BYTES];

	if (work->out->count == LIMIT_SANITISED) {
		work->out->more++;
		return;
	}
	place_write(place, pointer, sizeof(pointer));
	jsonw_object_open(&work->json);
	jsonw_key_str(&work->json, "pointer", pointer);
	jsonw_key_str(&work->json, "change", change);
	jsonw_key_str(&work->json, "detail", detail);
	jsonw_object_close(&work->json);
	work->out->count++;
}

static void change(struct work *work, json_t *value, const char *text, size_t length)
{
	if (json_string_setn_nocheck(value, text, length) != 0)
		work->is_out_of_memory = true;
}

/* --- what is changed --------------------------------------------------------------------- */

#define MARK	   "\xEF\xBB\xBF"
#define MARK_BYTES 3

static void remove_marks(struct work *work, json_t *code)
{
	const struct place place = at_member(NULL, "code");
	const char *text = json_string_value(code);
	size_t length = json_string_length(code);
	size_t at = 0;
	own_mem char *rest = NULL;

	while (length - at >= MARK_BYTES && memcmp(text + at, MARK, MARK_BYTES) == 0)
		at += MARK_BYTES;
	if (at == 0)
		return;
	/* jansson frees the old text, of which this is a part. */
	rest = strndup(text + at, length - at);
	if (rest == NULL) {
		work->is_out_of_memory = true;
		return;
	}
	change(work, code, rest, length - at);
	tell(work, &place, "byte_order_mark_removed",
	     "the code began with a byte order mark, which no interpreter takes");
}

/* Number of CR LF, if there is no CR without LF and no LF without CR; else 0. */
static size_t count_pairs(const char *text, size_t length)
{
	size_t pairs = 0;

	for (size_t i = 0; i < length; i++) {
		bool is_pair = text[i] == '\r' && i + 1 < length && text[i + 1] == '\n';

		if (!is_pair && (text[i] == '\r' || text[i] == '\n'))
			return 0;
		pairs += is_pair;
		i += is_pair;
	}
	return pairs;
}

static void unify_line_ends(struct work *work, json_t *code)
{
	const struct place place = at_member(NULL, "code");
	const char *text = json_string_value(code);
	size_t length = json_string_length(code);
	size_t pairs = count_pairs(text, length);
	char detail[DETAIL_BYTES];
	own_mem char *unified = NULL;
	size_t at = 0;

	if (pairs == 0)
		return;
	unified = malloc(length + 1);
	if (unified == NULL) {
		work->is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < length; i++)
		if (text[i] != '\r')
			unified[at++] = text[i];
	change(work, code, unified, at);
	(void)snprintf(detail, sizeof(detail),
		       "%zu line ends CR LF became LF; bash takes the CR for a part of a word",
		       pairs);
	tell(work, &place, "line_ends_unified", detail);
}

/* Without its segments "."; the last one names a folder and stays. Returns the new length. */
static size_t without_dots(const char *path, size_t length, char *ret)
{
	size_t at = 0;

	for (size_t i = 0; i < length;) {
		const char *slash = memchr(path + i, '/', length - i);
		size_t next = slash != NULL ? (size_t)(slash - path) + 1 : length;

		if (slash == NULL || next - i != 2 || path[i] != '.') {
			memcpy(ret + at, path + i, next - i);
			at += next - i;
		}
		i = next;
	}
	return at;
}

static void normalise_path(struct work *work, json_t *path, const struct place *place)
{
	const char *text = json_string_value(path);
	size_t length = json_string_length(path);
	char before[SHOWN_BYTES];
	char after[SHOWN_BYTES];
	char detail[DETAIL_BYTES];
	char normal[LIMIT_PATH_BYTES];
	size_t normal_length;

	if (length > sizeof(normal))
		return; /* and is refused */
	normal_length = without_dots(text, length, normal);
	/* A fault is told of the path that was sent. */
	if (normal_length == length || path_fault(normal, normal_length) != NULL)
		return;
	(void)snprintf(detail, sizeof(detail), "\"%s\" became \"%s\"",
		       text_show(before, sizeof(before), text, length),
		       text_show(after, sizeof(after), normal, normal_length));
	change(work, path, normal, normal_length);
	tell(work, place, "path_normalised", detail);
}

/* --- what is told ------------------------------------------------------------------------ */

static void look_at(struct work *work, const json_t *value, const struct place *place)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);
	bool has_direction = false;
	bool has_control = false;

	for (size_t i = 0; i < length; i++) {
		has_control |= utf8_is_control((unsigned char)text[i]);
		has_direction |= utf8_turns_text(text + i, length - i);
	}
	if (has_direction)
		tell(work, place, "direction_kept",
		     "has invisible characters that change the direction of the text; it was "
		     "passed on as it is");
	if (has_control)
		tell(work, place, "control_kept",
		     "has control characters; it was passed on as it is");
}

/* Variables that make a loader or an interpreter read or run something before the code. */
static const struct steering {
	const char *head;
	bool is_whole;
} steering[] = {
	{"LD_", false},		/* the loader: libraries to put in front (LD_PRELOAD) */
	{"GCONV_PATH", true},	/* the C library: character sets, which are code */
	{"BASH_ENV", true},	/* bash: a script before the script */
	{"ENV", true},		/* sh: the same */
	{"NODE_OPTIONS", true}, /* node: modules before the code (--require) */
	{"PYTHON", false},	/* python3 started by the code: PYTHONPATH, PYTHONSTARTUP */
	{"PERL5OPT", true},	/* perl: modules before the code */
	{"PERL5LIB", true},	/* perl: where modules lie */
	{"RUBYOPT", true},	/* ruby: the same */
};

static bool is_steering(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_COUNT(steering); i++) {
		size_t head = strlen(steering[i].head);

		if (length >= head && memcmp(name, steering[i].head, head) == 0 &&
		    (length == head || !steering[i].is_whole))
			return true;
	}
	return false;
}

static void look_at_variables(struct work *work)
{
	struct place env = at_member(NULL, "env");
	struct place place = {.parent = &env};
	json_t *value;

	json_object_keylen_foreach(json_object_get(work->document, "env"), place.key,
				   place.length, value)
	{
		if (is_steering(place.key, place.length))
			tell(work, &place, "steering_kept",
			     "tells a loader or an interpreter what to run before the code; it "
			     "was passed on as it is");
		look_at(work, value, &place);
	}
}

static void look_at_arguments(struct work *work)
{
	struct place args = at_member(NULL, "args");
	struct place place = {.parent = &args};
	json_t *value;

	json_array_foreach(json_object_get(work->document, "args"), place.index, value)
		look_at(work, value, &place);
}

/* --- the whole --------------------------------------------------------------------------- */

static void each_path(struct work *work,
		      void (*visit)(struct work *work, json_t *path, const struct place *place))
{
	struct place files = at_member(NULL, "files");
	struct place here = {.parent = &files};
	json_t *file;

	json_array_foreach(json_object_get(work->document, "files"), here.index, file)
	{
		struct place place = at_member(&here, "path");

		visit(work, json_object_get(file, "path"), &place);
	}
}

static void look_at_path(struct work *work, json_t *path, const struct place *place)
{
	look_at(work, path, place);
}

/* What is changed comes first, so that there is always room for it. */
static void do_all(struct work *work, bool is_read)
{
	const char *language = json_string_value(json_object_get(work->document, "language"));
	const struct place place = at_member(NULL, "code");
	json_t *code = json_object_get(work->document, "code");

	remove_marks(work, code);
	if (strcmp(language, "bash") == 0)
		unify_line_ends(work, code);
	each_path(work, normalise_path);
	if (!is_read)
		look_at(work, code, &place);
	each_path(work, look_at_path);
	look_at_arguments(work);
	look_at_variables(work);
}

int sanitise(json_t *document, bool is_read, struct sanitised *ret, struct err *err)
{
	struct work work = {.document = document, .out = ret};

	ret->count = 0;
	ret->more = 0;
	buf_init(&ret->list, LIMIT_SANITISED_BYTES);
	jsonw_init(&work.json, &ret->list);
	do_all(&work, is_read);
	if (work.is_out_of_memory)
		return err_errno(err, ENOMEM, "sanitise a request");
	return buf_check(&ret->list, err);
}

void sanitised_write(struct jsonw *json, const struct sanitised *sanitised)
{
	char detail[DETAIL_BYTES];

	jsonw_key(json, "sanitised");
	jsonw_array_open(json);
	if (sanitised->count > 0)
		jsonw_raw(json, sanitised->list.data, sanitised->list.length);
	if (sanitised->more > 0) {
		(void)snprintf(detail, sizeof(detail), "%u more were passed on as they are",
			       sanitised->more);
		jsonw_object_open(json);
		jsonw_key_str(json, "pointer", "");
		jsonw_key_str(json, "change", "more_kept");
		jsonw_key_str(json, "detail", detail);
		jsonw_object_close(json);
	}
	jsonw_array_close(json);
}

void sanitised_done(struct sanitised *sanitised)
{
	buf_done(&sanitised->list);
}
