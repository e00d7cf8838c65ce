#include "validator/schema_command.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "validator/json_guard.h"
#include "validator/schema.h"
#include "validator/schema_uri.h"

enum { EXIT_VALID = 0, EXIT_INVALID = 1, EXIT_UNUSABLE = 2 };

/* One document, bytes and values: what a machine judges in about a second, under 1 GiB. */
#define DOCUMENT_BYTES_MAX  (64u << 20)
#define DOCUMENT_VALUES_MAX 4000000

#define REMOTES_MAX 64 /* folders on one command line */

struct remote {
	const char *base; /* of the command line */
	size_t base_length;
	int folder; /* owned */
};

struct options {
	struct remote remotes[REMOTES_MAX];
	size_t remote_count;
	unsigned flags;
	bool has_output;
	enum schema_output output;
	bool wants_notes;
	const char *files[2];
	size_t file_count;
};

/* --- documents --------------------------------------------------------------------------- */

/* A bound on the values of a text, before memory is spent on them. */
static bool has_too_many_values(const char *text, size_t length)
{
	size_t count = 1;
	bool is_string = false;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (is_string && c == '\\')
			i++;
		else if (c == '"')
			is_string = !is_string;
		else if (!is_string && (c == ',' || c == '[' || c == '{'))
			count++;
	}
	return count > DOCUMENT_VALUES_MAX;
}

static int parse(const char *name, const struct buf *text, json_t **ret, struct err *err)
{
	const char *data = text->data != NULL ? text->data : "";
	size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
	json_error_t fault;
	json_t *value;

	if (has_too_many_values(data, text->length))
		return err_set(err, E2BIG, "%s: more than %u values", name,
			       DOCUMENT_VALUES_MAX);
	value = json_loadb(data, text->length, flags, &fault);
	/* An integer beyond 64 bits: then all numbers of the document are doubles. */
	if (value == NULL && json_error_code(&fault) == json_error_numeric_overflow)
		value = json_loadb(data, text->length, flags | JSON_DECODE_INT_AS_REAL, &fault);
	if (value == NULL)
		return err_set(err, EINVAL, "%s:%d:%d: no usable JSON: %s", name, fault.line,
			       fault.column, fault.text);
	*ret = value;
	return 0;
}

static int read_document(int fd, const char *name, json_t **ret, struct err *err)
{
	own_buf text;
	int status;

	buf_init(&text, DOCUMENT_BYTES_MAX);
	status = buf_read(&text, fd);
	if (status < 0)
		return err_errno(err, -status, "%s", name);
	if (text.has_failed)
		return err_set(err, EFBIG, "%s: larger than %u bytes", name,
			       DOCUMENT_BYTES_MAX);
	return parse(name, &text, ret, err);
}

static int load_file(const char *path, json_t **ret, struct err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	own_fd fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
			     : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	return read_document(fd, is_stdin ? "standard input" : path, ret, err);
}

/* --- remote documents -------------------------------------------------------------------- */

/* The part of `uri` below the base, NULL: it is not below it. */
static const char *below(const struct remote *remote, const char *uri)
{
	if (strncmp(uri, remote->base, remote->base_length) != 0)
		return NULL;
	uri += remote->base_length;
	if (remote->base_length > 0 && remote->base[remote->base_length - 1] == '/')
		return uri;
	return *uri == '/' ? uri + 1 : NULL;
}

static bool climbs(const char *path)
{
	while (*path != '\0') {
		size_t length = strcspn(path, "/");

		if (length == 2 && memcmp(path, "..", 2) == 0)
			return true;
		path += length + (path[length] == '/');
	}
	return false;
}

/* -1: there is no such file. */
static int open_below(const struct remote *remote, const char *uri)
{
	const char *rest = below(remote, uri);
	own_mem char *path = rest != NULL ? strndup(rest, strcspn(rest, "?")) : NULL;
	own_fd fd = -1;
	struct stat status;

	if (path == NULL || uri_decode(path) < 0 || path[0] == '/' || path[0] == '\0' ||
	    climbs(path))
		return -1;
	fd = openat(remote->folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return -1;
	return fd_take(&fd);
}

static int load_remote(void *owner, const char *uri, json_t **ret, struct err *err)
{
	const struct options *options = owner;

	for (size_t i = 0; i < options->remote_count; i++) {
		own_fd fd = open_below(&options->remotes[i], uri);

		if (fd >= 0)
			return read_document(fd, uri, ret, err);
	}
	return -ENOENT;
}

/* --- the command line -------------------------------------------------------------------- */

static int take_remote(struct options *options, const char *text, struct err *err)
{
	struct remote *remote = &options->remotes[options->remote_count];
	const char *equals = text != NULL ? strchr(text, '=') : NULL;

	if (equals == NULL || equals == text || options->remote_count == REMOTES_MAX)
		return err_set(err, EINVAL, "--remotes needs BASE=DIR, at most %d times",
			       REMOTES_MAX);
	remote->base = text;
	remote->base_length = (size_t)(equals - text);
	remote->folder = open(equals + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (remote->folder < 0)
		return err_errno(err, errno, "--remotes: %s", equals + 1);
	options->remote_count++;
	return 0;
}

static int take_output(struct options *options, const char *text, struct err *err)
{
	static const char *const names[] = {"flag", "basic", "detailed"};

	for (size_t i = 0; text != NULL && i < ARRAY_COUNT(names); i++)
		if (strcmp(names[i], text) == 0) {
			options->output = (enum schema_output)i;
			options->has_output = true;
			return 0;
		}
	return err_set(err, EINVAL, "--output needs flag, basic or detailed");
}

static int take_options(struct options *options, int count, char **arguments, struct err *err)
{
	bool is_over = false;
	int status = 0;

	for (int i = 0; i < count && status == 0; i++) {
		const char *word = arguments[i];
		const char *value = i + 1 < count ? arguments[i + 1] : NULL;

		if (is_over || word[0] != '-' || word[1] == '\0') {
			if (options->file_count == ARRAY_COUNT(options->files))
				return err_set(err, EINVAL, "more than two files");
			options->files[options->file_count++] = word;
		} else if (strcmp(word, "--") == 0)
			is_over = true;
		else if (strcmp(word, "--formats") == 0)
			options->flags |= SCHEMA_FORMATS;
		else if (strcmp(word, "--annotations") == 0)
			options->wants_notes = true;
		else if (strcmp(word, "--remotes") == 0) {
			status = take_remote(options, value, err);
			i++;
		} else if (strcmp(word, "--output") == 0) {
			status = take_output(options, value, err);
			i++;
		} else
			return err_set(err, EINVAL, "unknown option %s", word);
	}
	if (status == 0 && options->file_count != ARRAY_COUNT(options->files))
		return err_set(err, EINVAL, "a schema and an instance are needed");
	return status;
}

/* --- the check --------------------------------------------------------------------------- */

static int compile(struct options *options, struct schema **ret, struct err *err)
{
	const struct schema_source source = {load_remote, options};
	own_json *document = NULL;
	struct schema_store *store = NULL;
	int status = load_file(options->files[0], &document, err);

	if (status == 0)
		status = schema_store_new(&store, err);
	if (status < 0)
		return status;
	schema_store_source(store, &source);
	status = schema_store_compile(store, "", document, options->flags, ret, err);
	schema_store_free(store);
	return status < 0 ? err_prefix(err, "%s", options->files[0]) : 0;
}

static void print_errors(const struct options *options, const struct schema_report *report,
			 FILE *err_out)
{
	for (size_t i = 0; i < report->error_count; i++) {
		const struct schema_error *error = &report->errors[i];

		(void)fprintf(err_out, "%s: '%s': %s. %s (%s)\n", options->files[1],
			      error->instance, error->text, error->hint, error->location);
	}
	if (report->has_more)
		(void)fprintf(err_out, "%s: there are more errors\n", options->files[1]);
}

static bool print_output(const struct options *options, const struct schema_report *report,
			 enum schema_verdict verdict, FILE *out)
{
	own_buf text;

	buf_init(&text, (size_t)DOCUMENT_BYTES_MAX * 2);
	schema_report_write(report, verdict, options->output, &text);
	return buf_check(&text, NULL) == 0 && fprintf(out, "%s\n", text.data) >= 0 &&
	       fflush(out) == 0;
}

static int check(const struct options *options, const struct schema *schema, json_t *instance,
		 FILE *out, FILE *err_out)
{
	own_schema_report report = {.errors = NULL};
	enum schema_verdict verdict;

	schema_report_init(&report);
	report.wants_notes = options->wants_notes;
	verdict = schema_judge(schema, instance, &report);
	if (verdict == SCHEMA_UNDECIDED) {
		(void)fprintf(err_out, "casemate: %s: cannot be judged: %s\n",
			      options->files[1], report.reason);
		return EXIT_UNUSABLE;
	}
	if (!options->has_output)
		print_errors(options, &report, err_out);
	else if (!print_output(options, &report, verdict, out)) {
		(void)fprintf(err_out, "casemate: cannot write the result\n");
		return EXIT_UNUSABLE;
	}
	return verdict == SCHEMA_VALID ? EXIT_VALID : EXIT_INVALID;
}

static int run(struct options *options, FILE *out, FILE *err_out)
{
	own_schema *schema = NULL;
	own_json *instance = NULL;
	struct err err = {0};
	int status = compile(options, &schema, &err);

	if (status == 0)
		status = load_file(options->files[1], &instance, &err);
	if (status == 0)
		return check(options, schema, instance, out, err_out);
	(void)fprintf(err_out, "casemate: %s\n", err.text);
	return EXIT_UNUSABLE;
}

int schema_command(int count, char **arguments, FILE *out, FILE *err_out)
{
	struct options options = {.flags = 0};
	struct err err = {0};
	int code = EXIT_UNUSABLE;

	if (count > 0 && (strcmp(arguments[count - 1], "--help") == 0))
		return fputs(SCHEMA_COMMAND_USAGE, out) == EOF ? EXIT_UNUSABLE : EXIT_VALID;
	if (count == 0 || strcmp(arguments[0], "check") != 0) {
		(void)fputs(SCHEMA_COMMAND_USAGE, err_out);
		return EXIT_UNUSABLE;
	}
	if (take_options(&options, count - 1, arguments + 1, &err) < 0)
		(void)fprintf(err_out, "casemate: %s\n\n%s", err.text, SCHEMA_COMMAND_USAGE);
	else
		code = run(&options, out, err_out);
	for (size_t i = 0; i < options.remote_count; i++)
		fd_drop(&options.remotes[i].folder);
	return code;
}
