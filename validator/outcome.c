#include "validator/outcome.h"

#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/utf8.h"
#include "schema/bundle.h"
#include "validator/base64.h"
#include "validator/events.h"
#include "validator/paths.h"
#include "validator/report.h"

struct result_file {
	const char *path;
	size_t path_length;
	uint64_t size;
	const char *content; /* NULL: too large to be read */
	size_t length;
};

/* An outcome bundle, taken apart; all pointers into the bundle. */
struct parts {
	struct bundle_entry out;
	struct bundle_entry err;
	struct bundle_entry report;
	struct result_file files[LIMIT_FILES];
	size_t file_count;
	struct event_list events;
	bool is_malformed;
	bool has_dropped_files;
};

int outcome_writer_init(struct outcome_writer *writer, const struct schema *report,
			struct err *err)
{
	*writer = (struct outcome_writer){
		.report_schema = report,
		.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL),
		.digest = EVP_MD_CTX_new(),
		.faults = malloc(sizeof(struct faults)),
		.kept = calloc(LIMIT_FILES, sizeof(struct outcome_kept)),
	};
	if (writer->sha256 == NULL || writer->digest == NULL || writer->faults == NULL ||
	    writer->kept == NULL) {
		outcome_writer_done(writer);
		return err_set(err, ENOMEM, "prepare SHA-256");
	}
	return 0;
}

void outcome_writer_done(struct outcome_writer *writer)
{
	EVP_MD_CTX_free(writer->digest);
	EVP_MD_free(writer->sha256);
	free(writer->faults);
	free(writer->kept);
	*writer = (struct outcome_writer){0};
}

/* --- taking the bundle apart ------------------------------------------------------------- */

static uint64_t read_u64(const char *data)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 8; i++)
		value |= (uint64_t)(unsigned char)data[i] << (8 * i);
	return value;
}

static void take_file(struct parts *parts, const struct bundle_entry *entry)
{
	struct result_file file = {.path = entry->name, .path_length = entry->name_length};
	bool has_content;

	if (entry->length < BUNDLE_FILE_HEADER_BYTES) {
		parts->is_malformed = true;
		return;
	}
	file.size = read_u64(entry->data);
	has_content = entry->data[8] != 0;
	file.length = entry->length - BUNDLE_FILE_HEADER_BYTES;
	/* No file has more than off_t can say, and most JSON readers have no wider integer. */
	if (file.size > INT64_MAX ||
	    (has_content ? file.length != file.size : file.length != 0)) {
		parts->is_malformed = true;
		return;
	}
	if (has_content)
		file.content = entry->data + BUNDLE_FILE_HEADER_BYTES;
	/* A name that JSON cannot carry exactly, or that a client must not follow, is left out.
	 */
	if (parts->file_count == LIMIT_FILES ||
	    !utf8_is_valid(entry->name, entry->name_length) ||
	    path_fault(entry->name, entry->name_length) != NULL) {
		parts->has_dropped_files = true;
		return;
	}
	parts->files[parts->file_count++] = file;
}

static void take_once(struct parts *parts, struct bundle_entry *slot,
		      const struct bundle_entry *entry)
{
	if (slot->kind != 0)
		parts->is_malformed = true;
	*slot = *entry;
}

static void take_parts(struct parts *parts, const struct span *bundle)
{
	struct bundle_reader reader;
	struct bundle_entry entry;
	int status;

	parts->out = (struct bundle_entry){.data = ""};
	parts->err = (struct bundle_entry){.data = ""};
	parts->report = (struct bundle_entry){.data = ""};
	parts->file_count = 0;
	parts->events.count = 0;
	parts->is_malformed = false;
	parts->has_dropped_files = false;
	bundle_reader_init(&reader, bundle);
	while ((status = bundle_next(&reader, &entry, NULL)) > 0) {
		if (entry.kind == BUNDLE_STDOUT)
			take_once(parts, &parts->out, &entry);
		else if (entry.kind == BUNDLE_STDERR)
			take_once(parts, &parts->err, &entry);
		else if (entry.kind == BUNDLE_REPORT)
			take_once(parts, &parts->report, &entry);
		else if (entry.kind == BUNDLE_RESULT_FILE)
			take_file(parts, &entry);
		else if (entry.kind == BUNDLE_EVENT)
			parts->is_malformed |= events_take(&parts->events, &entry) < 0;
		else
			parts->is_malformed = true;
	}
	if (status < 0)
		parts->is_malformed = true;
}

static int compare_files(const void *left, const void *right)
{
	const struct result_file *a = left;
	const struct result_file *b = right;
	size_t length = a->path_length < b->path_length ? a->path_length : b->path_length;
	int order = memcmp(a->path, b->path, length);

	if (order != 0)
		return order;
	return a->path_length < b->path_length ? -1 : a->path_length > b->path_length;
}

/* Sorted, and without those that cannot lie beside another one on every machine: twice the same
 * name, or but for upper and lower case. */
static void sort_files(struct parts *parts)
{
	struct path paths[LIMIT_FILES];
	struct result_file files[LIMIT_FILES];
	size_t left;

	for (size_t i = 0; i < parts->file_count; i++) {
		files[i] = parts->files[i];
		paths[i] = (struct path){files[i].path, files[i].path_length, i};
	}
	left = path_drop_clashes(paths, parts->file_count);
	parts->has_dropped_files |= left < parts->file_count;
	parts->file_count = left;
	for (size_t i = 0; i < left; i++)
		parts->files[i] = files[paths[i].index];
	if (parts->file_count > 1)
		qsort(parts->files, parts->file_count, sizeof(parts->files[0]), compare_files);
}

/* --- bytes ------------------------------------------------------------------------------- */

static void write_base64(struct jsonw *json, const char *data, size_t length)
{
	/* jsonw places the comma; the text itself needs no escapes. */
	jsonw_raw(json, "\"", 1);
	base64_encode(data, length, json->buf);
	buf_add_char(json->buf, '"');
}

/* Where a stream ends when the cap cut its last character: before that character. */
static size_t whole_characters(const char *data, size_t length)
{
	size_t start = length;
	unsigned char first;
	size_t wanted;

	while (start > 0 && length - start < 3 &&
	       ((unsigned char)data[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return length;
	first = (unsigned char)data[start - 1];
	wanted = first >= 0xF0 && first <= 0xF4	  ? 4
		 : first >= 0xE0 && first <= 0xEF ? 3
		 : first >= 0xC2 && first <= 0xDF ? 2
						  : 1;
	return wanted > length - start + 1 ? start - 1 : length;
}

static void write_stream(struct jsonw *json, const char *name, const struct bundle_entry *entry,
			 bool is_truncated)
{
	char key[32];
	size_t length = entry->length;
	bool is_text;

	if (is_truncated)
		length = whole_characters(entry->data, length);
	is_text = utf8_is_valid(entry->data, length);
	jsonw_key(json, name);
	if (is_text)
		jsonw_bytes(json, entry->data, length);
	else
		write_base64(json, entry->data, entry->length);
	(void)snprintf(key, sizeof(key), "%s_encoding", name);
	jsonw_key_str(json, key, is_text ? "utf-8" : "base64");
	(void)snprintf(key, sizeof(key), "%s_truncated", name);
	jsonw_key_bool(json, key, is_truncated);
}

static int sha256_of(struct outcome_writer *writer, const struct result_file *file,
		     uint8_t ret[32], struct err *err)
{
	if (EVP_DigestInit_ex2(writer->digest, writer->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(writer->digest, file->content, file->length) != 1 ||
	    EVP_DigestFinal_ex(writer->digest, ret, NULL) != 1)
		return err_set(err, ENOMEM, "SHA-256 of a result file");
	return 0;
}

static void write_sha256(struct jsonw *json, const uint8_t hash[32])
{
	static const char digits[] = "0123456789abcdef";
	char hex[64];

	for (size_t i = 0; i < 32; i++) {
		hex[2 * i] = digits[hash[i] >> 4];
		hex[2 * i + 1] = digits[hash[i] & 15];
	}
	jsonw_bytes(json, hex, sizeof(hex));
}

/* RFC 3986: what is not unreserved is escaped, but for the slashes between the segments. */
static void write_href(struct jsonw *json, const char *execution_id,
		       const struct result_file *file)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char plain[] = "-._~/";
	struct buf *buf = json->buf;

	jsonw_raw(json, "\"/v1/executions/", 16);
	buf_add_str(buf, execution_id);
	buf_add_str(buf, "/files/");
	for (size_t i = 0; i < file->path_length; i++) {
		unsigned char c = (unsigned char)file->path[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || strchr(plain, c) != NULL) {
			buf_add_char(buf, (char)c);
			continue;
		}
		buf_add_char(buf, '%');
		buf_add_char(buf, digits[c >> 4]);
		buf_add_char(buf, digits[c & 15]);
	}
	buf_add_char(buf, '"');
}

/* What all files of one outcome have in common. */
struct files {
	const struct check_outcome *ask;
	const struct span *bundle;
	uint64_t inline_bytes;
	uint64_t kept_bytes;
};

static bool is_inline(const struct files *files, const struct result_file *file)
{
	return file->content != NULL && file->size <= LIMIT_FILE_INLINE_BYTES &&
	       files->inline_bytes + file->size <= LIMIT_FILES_INLINE_BYTES;
}

static bool is_kept(const struct files *files, const struct result_file *file)
{
	return file->content != NULL && file->size <= files->ask->keep_bytes_max &&
	       files->kept_bytes <= files->ask->keep_bytes_max - file->size;
}

static void write_content(struct jsonw *json, const struct result_file *file, bool is_given)
{
	bool is_text = is_given && utf8_is_valid(file->content, file->length);

	jsonw_key(json, "content");
	if (is_text)
		jsonw_bytes(json, file->content, file->length);
	else if (is_given)
		write_base64(json, file->content, file->length);
	else
		jsonw_null(json);
	jsonw_key(json, "encoding");
	if (is_given)
		jsonw_str(json, is_text ? "utf-8" : "base64");
	else
		jsonw_null(json);
}

static void keep_file(struct outcome_writer *writer, struct files *files,
		      const struct result_file *file, const uint8_t hash[32])
{
	struct outcome_kept *kept = &writer->kept[writer->kept_count++];

	*kept = (struct outcome_kept){
		.path = file->path,
		.path_length = file->path_length,
		.offset = (uint64_t)(file->content - files->bundle->data),
		.size = file->size,
	};
	memcpy(kept->sha256, hash, sizeof(kept->sha256));
	files->kept_bytes += file->size;
}

static int write_file(struct outcome_writer *writer, struct jsonw *json, struct files *files,
		      const struct result_file *file, struct err *err)
{
	bool is_given = is_inline(files, file);
	uint8_t hash[32];

	if (file->content != NULL && sha256_of(writer, file, hash, err) < 0)
		return -ENOMEM;
	jsonw_object_open(json);
	jsonw_key(json, "path");
	jsonw_bytes(json, file->path, file->path_length);
	jsonw_key_u64(json, "size", file->size);
	jsonw_key(json, "sha256");
	if (file->content != NULL)
		write_sha256(json, hash);
	else
		jsonw_null(json);
	write_content(json, file, is_given);
	jsonw_key(json, "href");
	if (!is_given && is_kept(files, file)) {
		write_href(json, files->ask->execution_id, file);
		keep_file(writer, files, file, hash);
	} else {
		jsonw_null(json);
	}
	jsonw_object_close(json);
	if (is_given)
		files->inline_bytes += file->size;
	return 0;
}

static int write_files(struct outcome_writer *writer, struct jsonw *json, struct parts *parts,
		       struct files *files, struct err *err)
{
	int status = 0;

	sort_files(parts);
	writer->kept_count = 0;
	jsonw_key(json, "files");
	jsonw_array_open(json);
	for (size_t i = 0; i < parts->file_count && status == 0; i++)
		status = write_file(writer, json, files, &parts->files[i], err);
	jsonw_array_close(json);
	jsonw_key_bool(json, "files_truncated",
		       files->ask->files_truncated != 0 || parts->has_dropped_files);
	return status;
}

/* --- the error --------------------------------------------------------------------------- */

#define MESSAGE_BYTES 512

static void write_error(struct jsonw *json, const char *name, const char *message,
			const char *traceback)
{
	jsonw_key(json, "error");
	jsonw_object_open(json);
	jsonw_key_str(json, "name", name);
	jsonw_key_str(json, "message", message);
	jsonw_key(json, "traceback");
	if (traceback != NULL)
		jsonw_str(json, traceback);
	else
		jsonw_null(json);
	jsonw_object_close(json);
}

/* The limit that ended it, its value, and what to do. */
static void limit_message(const struct check_outcome *ask, char *ret, size_t size)
{
	switch (ask->limit_hit) {
	case LIMIT_HIT_CPU:
		(void)snprintf(
			ret, size,
			"The code used up its processor time: limits.cpu_ms is %llu. Do less "
			"work, or ask for more in limits.cpu_ms.",
			(unsigned long long)ask->cpu_ms);
		break;
	case LIMIT_HIT_MEMORY:
		(void)snprintf(
			ret, size,
			"The code needed more memory than allowed: limits.memory_bytes is "
			"%llu. "
			"Work in smaller pieces, or ask for more in limits.memory_bytes.",
			(unsigned long long)ask->memory_bytes);
		break;
	case LIMIT_HIT_STDOUT:
	case LIMIT_HIT_STDERR:
		(void)snprintf(
			ret, size,
			"The code wrote more to %s than allowed: limits.output_bytes is %llu. "
			"Print less, write to a file, or ask for more in limits.output_bytes.",
			ask->limit_hit == LIMIT_HIT_STDOUT ? "stdout" : "stderr",
			(unsigned long long)ask->output_bytes);
		break;
	case LIMIT_HIT_WORKSPACE:
		(void)snprintf(
			ret, size,
			"The code wrote more to its working folder and temporary files than "
			"allowed: limits.workspace_bytes is %llu, in at most %u files. Write "
			"less, or ask for more in limits.workspace_bytes.",
			(unsigned long long)ask->workspace_bytes, LIMIT_WORKSPACE_INODES);
		break;
	default:
		(void)snprintf(
			ret, size,
			"The code did not end in time: limits.wall_ms is %llu. Do less, or ask "
			"for more in limits.wall_ms.",
			(unsigned long long)ask->wall_ms);
		break;
	}
}

static void signal_message(const struct check_outcome *ask, char *ret, size_t size)
{
	const char *name = sigabbrev_np(ask->signal);
	const char *what =
		ask->signal == SIGSEGV || ask->signal == SIGBUS
			? " The code or a native library used memory that is not its own."
		: ask->signal == SIGSYS ? " It made a system call that is not allowed."
					: "";

	if (name != NULL)
		(void)snprintf(ret, size, "The signal SIG%s ended it.%s", name, what);
	else
		(void)snprintf(ret, size, "Signal %u ended it.%s", ask->signal, what);
}

/* Ends that the service saw itself. The limit that was missed when a status names one but
 * limit_hit does not is the status's usual one. */
static const char *service_error(const struct check_outcome *ask, char *message, size_t size)
{
	struct check_outcome known = *ask;

	switch (ask->status) {
	case STATUS_TIMED_OUT:
		limit_message(ask, message, size);
		return "TimedOut";
	case STATUS_MEMORY_EXCEEDED:
		known.limit_hit = LIMIT_HIT_MEMORY;
		limit_message(&known, message, size);
		return "MemoryExceeded";
	case STATUS_OUTPUT_EXCEEDED:
		if (known.limit_hit != LIMIT_HIT_STDERR)
			known.limit_hit = LIMIT_HIT_STDOUT;
		limit_message(&known, message, size);
		return "OutputExceeded";
	case STATUS_KILLED:
		if (ask->limit_hit == LIMIT_HIT_WORKSPACE) {
			limit_message(ask, message, size);
			return "WorkspaceExceeded";
		}
		signal_message(ask, message, size);
		return "Killed";
	case STATUS_CANCELLED:
		(void)snprintf(message, size, "The caller left or cancelled before it ended.");
		return "Cancelled";
	case STATUS_INTERNAL_ERROR:
		(void)snprintf(
			message, size,
			"The service failed while the code ran; the code is not to blame. "
			"Send the request again.");
		return "InternalError";
	default:
		return NULL;
	}
}

static void write_outcome_error(struct jsonw *json, const struct check_outcome *ask,
				const struct report *report, const char *invalid)
{
	char message[MESSAGE_BYTES];
	const char *name = service_error(ask, message, sizeof(message));

	if (name != NULL)
		write_error(json, name, message, report->traceback);
	else if (invalid != NULL)
		write_error(json, "InvalidReport", invalid, NULL);
	else if (report->name != NULL)
		write_error(json, report->name, report->message, report->traceback);
	else {
		jsonw_key(json, "error");
		jsonw_null(json);
	}
}

/* --- the whole --------------------------------------------------------------------------- */

/* Reads the report; what is wrong with it becomes the text in `ret_invalid`, else empty. */
static int read_report(struct outcome_writer *writer, const struct parts *parts,
		       struct report *ret, char *ret_invalid, size_t size)
{
	int status = report_parse(writer->report_schema, parts->report.data,
				  parts->report.length, ret, writer->faults);

	ret_invalid[0] = '\0';
	if (parts->is_malformed)
		(void)snprintf(
			ret_invalid, size,
			"What the worker left could not be read; parts of it may be missing.");
	else if (status == -EBADMSG)
		(void)snprintf(
			ret_invalid, size,
			"The worker's report on its own end was refused (%s: %s). Code that "
			"writes to descriptors it did not open can cause this.",
			writer->faults->list[0].pointer, writer->faults->list[0].detail);
	return status == -ENOMEM ? -ENOMEM : 0;
}

static void write_result(struct jsonw *json, const struct report *report)
{
	jsonw_key(json, "result");
	if (report->result != NULL)
		jsonw_bytes(json, report->result,
			    report_cut(report->result, LIMIT_RESULT_CHARS));
	else
		jsonw_null(json);
}

int outcome_write(struct outcome_writer *writer, const struct check_outcome *ask,
		  const struct span *bundle, struct buf *members, struct err *err)
{
	struct files files = {.ask = ask, .bundle = bundle};
	struct parts parts;
	struct report report;
	struct jsonw json;
	char invalid[MESSAGE_BYTES];
	int status;

	take_parts(&parts, bundle);
	status = read_report(writer, &parts, &report, invalid, sizeof(invalid));
	if (status < 0)
		return err_errno(err, ENOMEM, "read a report");
	writer->policy_denied = events_take_denials(&parts.events, &report);
	jsonw_init(&json, members);
	write_stream(&json, "stdout", &parts.out, ask->stdout_truncated != 0);
	write_stream(&json, "stderr", &parts.err, ask->stderr_truncated != 0);
	write_outcome_error(&json, ask, &report, invalid[0] != '\0' ? invalid : NULL);
	write_result(&json, &report);
	report_done(&report);
	events_write(&json, &parts.events);
	status = write_files(writer, &json, &parts, &files, err);
	return status < 0 ? status : buf_check(members, err);
}
