#include "server/exec/request.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "schema/limits.h"

/* The service refuses a larger request anyway; this only bounds what is read here. */
#define READ_BYTES_MAX LIMIT_BODY_BYTES

static int read_stream(FILE *file, const char *path, struct buf *ret, struct err *err)
{
	char chunk[65536];
	size_t got;

	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(ret, chunk, got);
	if (ferror(file))
		return err_errno(err, errno, "read %s", path);
	if (buf_check(ret, err) < 0)
		return err_set(err, E2BIG, "%s is larger than a request may be (%llu MiB)",
			       path, READ_BYTES_MAX >> 20);
	if (!utf8_is_valid(ret->data, ret->length))
		return err_set(err, EILSEQ, "%s is not UTF-8 text", path);
	return 0;
}

static int read_file(const char *path, struct buf *ret, struct err *err)
{
	FILE *file;
	int status;

	if (strcmp(path, "-") == 0)
		return read_stream(stdin, "standard input", ret, err);
	file = fopen(path, "re");
	if (file == NULL)
		return err_errno(err, errno, "open %s", path);
	status = read_stream(file, path, ret, err);
	(void)fclose(file);
	return status;
}

static const struct {
	const char *extension;
	const char *language;
} extensions[] = {
	{".py", "python"},
	{".js", "javascript"},
	{".mjs", "javascript"},
	{".cjs", "javascript"},
	{".sh", "bash"},
	{".bash", "bash"},
	{".c", "c"},
};

static const struct {
	const char *word;
	const char *language;
} interpreters[] = {
	{"python", "python"},
	{"node", "javascript"},
	{"bash", "bash"},
	{"/sh", "bash"},
};

const char *request_guess_language(const char *path, const char *code)
{
	size_t length = strlen(path);
	char line[128];

	for (size_t i = 0; i < ARRAY_COUNT(extensions); i++) {
		size_t wanted = strlen(extensions[i].extension);

		if (length > wanted &&
		    strcmp(path + length - wanted, extensions[i].extension) == 0)
			return extensions[i].language;
	}
	if (strncmp(code, "#!", 2) != 0)
		return "python";
	(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(code, "\n"), code);
	for (size_t i = 0; i < ARRAY_COUNT(interpreters); i++)
		if (strstr(line, interpreters[i].word) != NULL)
			return interpreters[i].language;
	return "python";
}

static int add_stdin(json_t *document, const char *path, struct err *err)
{
	own_buf text;
	int status;

	buf_init(&text, READ_BYTES_MAX);
	status = read_file(path, &text, err);
	if (status == 0)
		(void)json_object_set_new(
			document, "stdin",
			json_stringn(text.data == NULL ? "" : text.data, text.length));
	return status;
}

/* What is wrong with a document the service says, with pointers. */
static int add_policy(json_t *document, const char *policy, struct err *err)
{
	own_buf text;
	json_t *value;
	int status;

	buf_init(&text, READ_BYTES_MAX);
	if (strchr(policy, '/') == NULL && strstr(policy, ".json") == NULL) {
		(void)json_object_set_new(document, "policy", json_string(policy));
		return 0;
	}
	status = read_file(policy, &text, err);
	if (status < 0)
		return status;
	value = json_loadb(text.data == NULL ? "" : text.data, text.length,
			   JSON_REJECT_DUPLICATES, NULL);
	if (value == NULL)
		return err_set(err, EINVAL, "%s is not JSON", policy);
	(void)json_object_set_new(document, "policy", value);
	return 0;
}

static void add_rest(json_t *document, const struct options *options)
{
	if (options->arg_count > 0) {
		json_t *args = json_array();

		for (int i = 0; i < options->arg_count; i++)
			(void)json_array_append_new(args, json_string(options->args[i]));
		(void)json_object_set_new(document, "args", args);
	}
	if (options->timeout_ms > 0)
		(void)json_object_set_new(
			document, "limits",
			json_pack("{s:I}", "wall_ms", (json_int_t)options->timeout_ms));
}

int request_make(const struct options *options, json_t **ret, struct err *err)
{
	own_buf code;
	const char *text;
	const char *language = options->language;
	json_t *document;
	int status;

	buf_init(&code, READ_BYTES_MAX);
	status = read_file(options->program, &code, err);
	if (status < 0)
		return status;
	text = code.data == NULL ? "" : code.data;
	if (language == NULL)
		language = request_guess_language(options->program, text);
	document = json_pack("{s:s, s:o}", "language", language, "code",
			     json_stringn(text, code.length));
	if (document == NULL)
		return err_set(err, EINVAL, "--language or an argument is not UTF-8 text");
	add_rest(document, options);
	if (options->policy != NULL)
		status = add_policy(document, options->policy, err);
	if (status == 0 && options->stdin_path != NULL)
		status = add_stdin(document, options->stdin_path, err);
	if (status < 0)
		json_decref(document);
	else
		*ret = document;
	return status;
}
