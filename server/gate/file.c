#include "server/gate/file.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#include "server/gate/conn.h"
#include "server/gate/ledger.h"
#include "server/gate/range.h"
#include "server/gate/reply.h"

static struct text text_of(const char *text)
{
	return (struct text){text, strlen(text)};
}

/* One that does not fit is left out whole: half a condition is another one. */
static void take_condition(struct text value, char *ret, size_t capacity)
{
	if (value.length < capacity)
		text_copy(value, ret, capacity);
}

void file_begin(struct conn *conn, const struct head *head)
{
	struct file_request *file = calloc(1, sizeof(*file));
	struct text id;
	struct text escaped;

	if (file == NULL) {
		reply_problem(conn, PROBLEM_INTERNAL, "no memory for the request",
			      "Try again.");
		return;
	}
	conn->file = file;
	(void)endpoint_find(head->path, conn->listener, &id, &escaped);
	if (!path_decode(escaped, file->path, sizeof(file->path))) {
		reply_problem(conn, PROBLEM_NOT_FOUND,
			      "this is not the normalised relative path of a file",
			      "Use the address in href of the execution's files.");
		return;
	}
	/* RFC 9110 section 14.2: only GET has ranges. */
	if (head->method == HTTP_GET)
		take_condition(head->range, file->range, sizeof(file->range));
	take_condition(head->if_none_match, file->if_none_match, sizeof(file->if_none_match));
	take_condition(head->if_range, file->if_range, sizeof(file->if_range));
	take_condition(head->if_match, file->if_match, sizeof(file->if_match));
	if (head->if_match.length >= sizeof(file->if_match))
		text_copy(TEXT("?"), file->if_match, sizeof(file->if_match));
	/* A condition that is too long to be judged must not let a part through. */
	if (head->if_range.length >= sizeof(file->if_range))
		file->range[0] = '\0';
	ledger_ask_file(conn, 0, 0);
}

/* --- answers ----------------------------------------------------------------------------- */

static void write_etag(struct file_request *file)
{
	static const char digits[] = "0123456789abcdef";
	char *at = file->etag;

	*at++ = '"';
	for (size_t i = 0; i < sizeof(file->facts.sha256); i++) {
		*at++ = digits[file->facts.sha256[i] >> 4];
		*at++ = digits[file->facts.sha256[i] & 15];
	}
	*at++ = '"';
	*at = '\0';
}

/* RFC 6266: a name in ASCII for old clients, and the real one in UTF-8. Nothing of it can end
 * the header or its quotes. */
static void add_disposition(struct MHD_Response *response, const char *path)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	struct buf buf;

	buf_init(&buf, 4096);
	buf_add_str(&buf, "attachment; filename=\"");
	for (const char *at = name; *at != '\0'; at++)
		buf_add_char(&buf,
			     char_is_alnum(*at) || strchr("._-", *at) != NULL ? *at : '_');
	buf_add_str(&buf, "\"; filename*=UTF-8''");
	for (const char *at = name; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;

		if (char_is_alnum(*at) || strchr("._-", *at) != NULL) {
			buf_add_char(&buf, *at);
			continue;
		}
		buf_add_char(&buf, '%');
		buf_add_char(&buf, digits[c >> 4]);
		buf_add_char(&buf, digits[c & 15]);
	}
	if (!buf.has_failed)
		reply_header(response, "Content-Disposition", buf.data);
	buf_done(&buf);
}

static void send_file(struct conn *conn, unsigned status, struct MHD_Response *take_response)
{
	const struct file_request *file = conn->file;
	char range[96];

	if (take_response != NULL) {
		reply_header(take_response, "ETag", file->etag);
		if (status != 304) {
			reply_header(take_response, "Accept-Ranges", "bytes");
			add_disposition(take_response, file->path);
		}
		if (status == 206) {
			(void)snprintf(range, sizeof(range),
				       "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, file->first,
				       file->first + file->length - 1, file->facts.size);
			reply_header(take_response, "Content-Range", range);
		}
	}
	/* Only this caller's own: a proxy that many share must not keep it. */
	reply_submit(conn, status, take_response,
		     status != 304 ? "application/octet-stream" : NULL, "private, no-cache");
}

static struct MHD_Response *empty_response(void)
{
	static char nothing[1];

	return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
}

/* Never called: the engine sends no body after HEAD. */
static ssize_t no_content(void *cls, uint64_t at, char *ret, size_t max)
{
	(void)cls, (void)at, (void)ret, (void)max;
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* The length is that of the file where there is one (RFC 9110 section 8.6), with HEAD and with
 * 304 alike. */
static struct MHD_Response *head_response(const struct file_request *file)
{
	return MHD_create_response_from_callback(file->facts.size, 4096, no_content, NULL,
						 NULL);
}

/* If-Range wants exactly this file, else the whole of whatever is there; a date never is
 * enough. */
static enum range_verdict judge_range(struct file_request *file)
{
	if (file->range[0] == '\0' ||
	    (file->if_range[0] != '\0' && strcmp(file->if_range, file->etag) != 0))
		return RANGE_WHOLE;
	return range_parse(text_of(file->range), file->facts.size, &file->first, &file->length);
}

/* The order of RFC 9110 section 13.2.2. */
static void known(struct conn *conn)
{
	struct file_request *file = conn->file;

	write_etag(file);
	if (file->if_match[0] != '\0' &&
	    !etag_is_matched(text_of(file->if_match), file->etag)) {
		reply_problem(conn, PROBLEM_PRECONDITION_FAILED,
			      "the file has another ETag than If-Match names",
			      "Fetch it from its beginning, without If-Match.");
		return;
	}
	if (etag_is_listed(text_of(file->if_none_match), file->etag)) {
		send_file(conn, 304, head_response(file));
		return;
	}
	if (conn->request.method == HTTP_HEAD) {
		send_file(conn, 200, head_response(file));
		return;
	}
	file->first = 0;
	file->length = file->facts.size;
	switch (judge_range(file)) {
	case RANGE_UNSATISFIABLE:
		reply_problem(conn, PROBLEM_RANGE_NOT_SATISFIABLE,
			      "the range begins behind the end of the file",
			      "Content-Range says how large it is.");
		return;
	case RANGE_PART:
		file->is_part = true;
		break;
	case RANGE_WHOLE:
		break;
	}
	if (file->length == 0)
		send_file(conn, 200, empty_response());
	else if (reply_may_hold(conn, file->length, "Read the answers that are on their way."))
		ledger_ask_file(conn, file->first, file->length);
}

bool file_answered(struct conn *conn, const struct answer_file *answer,
		   struct span *take_content, bool has_content)
{
	struct file_request *file = conn->file;

	if (has_content != file->is_known)
		return false;
	if (!file->is_known) {
		file->is_known = true;
		file->facts = *answer;
		known(conn);
		return true;
	}
	if (take_content->length != file->length || answer->size != file->facts.size ||
	    memcmp(answer->sha256, file->facts.sha256, sizeof(answer->sha256)) != 0)
		return false;
	send_file(conn, file->is_part ? 206 : 200, reply_from_span(take_content));
	return true;
}
