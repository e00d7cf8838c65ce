#include "validator/request.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "schema/bundle.h"
#include "validator/base64.h"
#include "validator/json_guard.h"
#include "validator/paths.h"
#include "validator/schema_faults.h"

/* One request on its way. */
struct request {
	json_t *body; /* borrowed */
	const struct check_request *ask;
	struct request_good good;
	struct buf *payload;
	struct faults *faults;
	struct path paths[LIMIT_FILES];
	size_t files_bytes;
};

/* --- limits ------------------------------------------------------------------------------ */

#define LIMIT_ROW(kind, name, low, high) \
	{#name, offsetof(struct request_good, name), offsetof(struct check_request, name)},

static const struct limit_row {
	const char *name;
	size_t asked_at;
	size_t ceiling_at;
} limit_rows[] = {LIMIT_FIELDS(LIMIT_ROW)};

static uint64_t *asked_of(struct request_good *good, const struct limit_row *row)
{
	return (uint64_t *)(void *)((char *)good + row->asked_at);
}

static uint64_t ceiling_of(const struct check_request *ask, const struct limit_row *row)
{
	uint64_t value;

	memcpy(&value, (const char *)ask + row->ceiling_at, sizeof(value));
	return value;
}

/* The schema has checked type and range, so the value is a small whole number or null. */
static void take_limits(struct request *request)
{
	const json_t *limits = json_object_get(request->body, "limits");

	for (size_t i = 0; i < ARRAY_COUNT(limit_rows); i++) {
		const json_t *value = json_object_get(limits, limit_rows[i].name);

		*asked_of(&request->good, &limit_rows[i]) =
			json_is_number(value) ? (uint64_t)json_number_value(value) : 0;
	}
}

static void check_ceilings(struct request *request)
{
	struct place limits = at_member(NULL, "limits");

	for (size_t i = 0; i < ARRAY_COUNT(limit_rows); i++) {
		struct place place = at_member(&limits, limit_rows[i].name);
		uint64_t asked = *asked_of(&request->good, &limit_rows[i]);
		uint64_t ceiling = ceiling_of(request->ask, &limit_rows[i]);
		char tenant[80];

		if (asked == 0 || ceiling == 0 || asked <= ceiling)
			continue;
		text_show(tenant, sizeof(tenant), request->ask->tenant,
			  strlen(request->ask->tenant));
		fault_hint(
			faults_add(request->faults, &place, "ceiling",
				   "%llu is above the ceiling of tenant \"%s\", which is %llu",
				   (unsigned long long)asked, tenant,
				   (unsigned long long)ceiling),
			"Send at most %llu, or leave limits.%s out.",
			(unsigned long long)ceiling, limit_rows[i].name);
	}
}

/* --- texts ------------------------------------------------------------------------------- */

/* The schema bounds characters; what must fit a buffer or the kernel is bounded in bytes. */
static void check_bytes(struct request *request, const json_t *value, size_t most,
			const struct place *place)
{
	if (json_string_length(value) <= most)
		return;
	fault_hint(faults_add(request->faults, place, "bytes",
			      "has %zu bytes in UTF-8, at most %zu are allowed",
			      json_string_length(value), most),
		   "Shorten it to %zu bytes.", most);
}

static void take_code(struct request *request)
{
	const json_t *code = json_object_get(request->body, "code");
	struct place place = at_member(NULL, "code");

	check_bytes(request, code, LIMIT_CODE_BYTES, &place);
	bundle_add_header(request->payload, BUNDLE_CODE, 0, json_string_length(code));
	request->good.code_offset = request->payload->length;
	request->good.code_bytes = json_string_length(code);
	buf_add(request->payload, json_string_value(code), json_string_length(code));
}

static void take_stdin(struct request *request)
{
	const json_t *input = json_object_get(request->body, "stdin");
	struct place place = at_member(NULL, "stdin");

	if (!json_is_string(input) || json_string_length(input) == 0)
		return;
	check_bytes(request, input, LIMIT_STDIN_BYTES, &place);
	bundle_add(request->payload, BUNDLE_STDIN, NULL, 0, json_string_value(input),
		   json_string_length(input));
}

static void take_args(struct request *request)
{
	struct place args = at_member(NULL, "args");
	struct place place = {.parent = &args};
	json_t *value;

	json_array_foreach(json_object_get(request->body, "args"), place.index, value)
	{
		check_bytes(request, value, LIMIT_ARG_BYTES, &place);
		bundle_add(request->payload, BUNDLE_ARG, NULL, 0, json_string_value(value),
			   json_string_length(value));
	}
}

static void take_env(struct request *request)
{
	struct place env = at_member(NULL, "env");
	struct place place = {.parent = &env};
	json_t *value;

	json_object_keylen_foreach(json_object_get(request->body, "env"), place.key,
				   place.length, value)
	{
		check_bytes(request, value, LIMIT_ENV_VALUE_BYTES, &place);
		bundle_add(request->payload, BUNDLE_ENV, place.key, place.length,
			   json_string_value(value), json_string_length(value));
	}
}

/* --- files ------------------------------------------------------------------------------- */

static void take_base64(struct request *request, const char *path, size_t path_length,
			const json_t *content, const struct place *place)
{
	const char *text = json_string_value(content);
	size_t length = json_string_length(content);
	size_t bytes = base64_decoded_bytes(text, length);
	size_t wrong;

	bundle_add_header(request->payload, BUNDLE_FILE, path_length, bytes);
	buf_add(request->payload, path, path_length);
	if (base64_decode(text, length, request->payload, &wrong) == 0) {
		request->files_bytes += bytes;
		return;
	}
	if (wrong == length)
		fault_hint(faults_add(request->faults, place, "base64",
				      "the length of %zu characters is no multiple of 4",
				      length),
			   "Pad base64 with = and leave out line breaks.");
	else
		fault_hint(faults_add(request->faults, place, "base64",
				      "character %zu is not base64", wrong),
			   "Use the standard alphabet (A-Z a-z 0-9 + /) with = padding and no "
			   "white space.");
}

static void take_file(struct request *request, const json_t *file, size_t index,
		      const struct place *files)
{
	struct place here = {.parent = files, .index = index};
	struct place path_place = at_member(&here, "path");
	struct place content_place = at_member(&here, "content");
	const json_t *path = json_object_get(file, "path");
	const json_t *content = json_object_get(file, "content");
	const json_t *encoding = json_object_get(file, "encoding");
	const char *text = json_string_value(path);
	size_t length = json_string_length(path);
	const char *wrong = path_fault(text, length);

	request->paths[index] = (struct path){.text = text, .length = length, .index = index};
	if (wrong != NULL) {
		fault_hint(
			faults_add(request->faults, &path_place, "path", "the path %s", wrong),
			"Send a path such as \"data/input.csv\".");
		return;
	}
	if (json_is_string(encoding) && strcmp(json_string_value(encoding), "base64") == 0) {
		take_base64(request, text, length, content, &content_place);
		return;
	}
	bundle_add(request->payload, BUNDLE_FILE, text, length, json_string_value(content),
		   json_string_length(content));
	request->files_bytes += json_string_length(content);
}

static void check_clash(struct request *request, size_t count, const struct place *files)
{
	static const char *const sentences[][2] = {
		[PATH_CLASH_SAME] = {"is the path of", " too"},
		[PATH_CLASH_CASE] = {"differs from the path of",
				     " only in upper and lower case"},
		[PATH_CLASH_FOLDER_CASE] = {"has a folder that differs from one of",
					    " only in upper and lower case"},
		[PATH_CLASH_FOLDER] = {"cannot exist beside the path of",
				       ": one is a folder of the other"},
	};
	size_t index = 0;
	size_t other = 0;
	enum path_clash clash = path_find_clash(request->paths, count, &index, &other);
	struct place here = {.parent = files, .index = index};
	struct place place = at_member(&here, "path");

	if (clash == PATH_CLASH_NONE)
		return;
	fault_hint(faults_add(request->faults, &place, "path", "%s /files/%zu%s",
			      sentences[clash][0], other, sentences[clash][1]),
		   "Rename or remove one of the two files.");
}

/* What the workspace will hold: asked for, else the default or the tenant's lower ceiling. */
static uint64_t workspace_bytes(const struct request *request)
{
	uint64_t ceiling = request->ask->workspace_bytes;

	if (request->good.workspace_bytes > 0)
		return request->good.workspace_bytes;
	return ceiling > 0 && ceiling < LIMIT_WORKSPACE_BYTES_DEFAULT
		       ? ceiling
		       : LIMIT_WORKSPACE_BYTES_DEFAULT;
}

static void take_files(struct request *request)
{
	const json_t *list = json_object_get(request->body, "files");
	struct place files = at_member(NULL, "files");
	size_t faults_before = request->faults->count;
	size_t index;
	json_t *file;

	json_array_foreach(list, index, file) take_file(request, file, index, &files);
	if (request->faults->count > faults_before)
		return;
	check_clash(request, json_array_size(list), &files);
	if (request->files_bytes > workspace_bytes(request))
		fault_hint(faults_add(request->faults, &files, "workspace",
				      "the files hold %zu bytes, the workspace %llu",
				      request->files_bytes,
				      (unsigned long long)workspace_bytes(request)),
			   "Send less, or ask for more in limits.workspace_bytes.");
}

/* --- verdicts ---------------------------------------------------------------------------- */

int request_refuse(enum problem problem, const struct faults *faults, struct request_bad *ret)
{
	const struct fault *first = &faults->list[0];
	char more[32] = "";

	if (faults->count > 1)
		(void)snprintf(more, sizeof(more), " (and %zu%s more)", faults->count - 1,
			       faults->has_more ? " or" : "");
	ret->problem = (uint8_t)problem;
	if (problem == PROBLEM_BAD_JSON || first->pointer[0] == '\0')
		(void)snprintf(ret->detail, sizeof(ret->detail), "%s%s", first->detail, more);
	else
		(void)snprintf(ret->detail, sizeof(ret->detail), "%.120s: %s%s", first->pointer,
			       first->detail, more);
	(void)snprintf(ret->hint, sizeof(ret->hint), "%s", first->hint);
	return -EBADMSG;
}

static int take_all(struct request *request, struct request_bad *ret_bad)
{
	const char *language = json_string_value(json_object_get(request->body, "language"));

	(void)snprintf(request->good.language, sizeof(request->good.language), "%s", language);
	take_limits(request);
	take_code(request);
	take_stdin(request);
	take_args(request);
	take_env(request);
	take_files(request);
	if (request->faults->count > 0)
		return request_refuse(PROBLEM_INVALID, request->faults, ret_bad);
	check_ceilings(request);
	if (request->faults->count > 0)
		return request_refuse(PROBLEM_ABOVE_CEILING, request->faults, ret_bad);
	return 0;
}

int request_read(const struct schema *schema, const char *body, size_t length, json_t **ret,
		 struct request_bad *ret_bad, struct faults *faults, struct err *err)
{
	own_json *document = NULL;
	int status = json_guard_parse(body, length, &document, faults);

	if (status == -ENOMEM)
		return err_errno(err, ENOMEM, "parse a request");
	if (status < 0)
		return request_refuse(PROBLEM_BAD_JSON, faults, ret_bad);
	if (!schema_check(schema, document, faults))
		return request_refuse(PROBLEM_INVALID, faults, ret_bad);
	*ret = mem_take(&document);
	return 0;
}

int request_check(json_t *document, const struct check_request *ask, struct request_good *ret,
		  struct buf *payload, struct request_bad *ret_bad, struct faults *faults,
		  struct err *err)
{
	struct request request;
	int status;

	faults_init(faults);
	request.body = document;
	request.ask = ask;
	request.good = (struct request_good){.code_offset = 0};
	request.payload = payload;
	request.faults = faults;
	request.files_bytes = 0;
	status = take_all(&request, ret_bad);
	if (status < 0)
		return status;
	status = buf_check(payload, err);
	if (status == 0)
		*ret = request.good;
	return status;
}
