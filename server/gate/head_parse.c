#include <string.h>

#include "base/own.h"
#include "schema/limits.h"
#include "schema/status.h"
#include "server/gate/head.h"

/* What the fields say about framing, judged together once all of them are read. */
struct parse {
	struct head *head;
	struct head_fault *fault;
	struct text target;
	struct text host;
	struct text coding; /* Transfer-Encoding */
	unsigned seen;	    /* bit per row of field_rows */
	bool has_host;
	bool has_coding;
	bool has_close;
	bool has_keep_alive;
	bool has_upgrade;
	bool has_bad_expect;
	unsigned ranges, matches, if_ranges, if_matches;
	unsigned request_ids;
	unsigned trace_parents;
};

static bool refuse(struct parse *parse, uint8_t problem, const char *detail)
{
	*parse->fault = (struct head_fault){problem, detail};
	return false;
}

static bool bad(struct parse *parse, const char *detail)
{
	return refuse(parse, PROBLEM_BAD_REQUEST, detail);
}

/* --- request line ------------------------------------------------------------------------ */

struct method_row {
	const char *name;
	enum http_method method;
};

/* Method names are case-sensitive (RFC 9110 section 9.1). */
static const struct method_row method_rows[] = {
	{"GET", HTTP_GET},	   {"POST", HTTP_POST},	  {"HEAD", HTTP_HEAD},
	{"OPTIONS", HTTP_OPTIONS}, {"PUT", HTTP_KNOWN},	  {"DELETE", HTTP_KNOWN},
	{"PATCH", HTTP_KNOWN},	   {"TRACE", HTTP_KNOWN},
};

static enum http_method method_of(struct text name)
{
	for (size_t i = 0; i < ARRAY_COUNT(method_rows); i++)
		if (text_is(name, method_rows[i].name))
			return method_rows[i].method;
	return HTTP_UNKNOWN;
}

static bool parse_version(struct parse *parse, struct text version)
{
	const char *v = version.data;

	if (version.length != 8 || memcmp(v, "HTTP/", 5) != 0 || !char_is_digit(v[5]) ||
	    v[6] != '.' || !char_is_digit(v[7]))
		return bad(parse, "the request line does not end with HTTP/1.1");
	if (v[5] != '1' || v[7] > '1')
		return refuse(parse, PROBLEM_VERSION_NOT_SUPPORTED, "use HTTP/1.1");
	parse->head->is_http10 = v[7] == '0';
	return true;
}

static bool is_path_char(char c)
{
	return char_is_alnum(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@/", c) != NULL);
}

static unsigned hex_value(char c)
{
	return (unsigned)(char_is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* Path characters and percent escapes of RFC 3986; an escaped control character is refused too,
 * because %00 means "end of string" to whoever reads the path next. */
static bool check_path(struct parse *parse, struct text path, bool is_query)
{
	for (size_t i = 0; i < path.length; i++) {
		char c = path.data[i];

		if (c == '%') {
			unsigned value;

			if (path.length - i < 3 || !char_is_hex(path.data[i + 1]) ||
			    !char_is_hex(path.data[i + 2]))
				return bad(parse, "a % in the address is not an escape");
			value = hex_value(path.data[i + 1]) * 16 + hex_value(path.data[i + 2]);
			if (value < 0x20 || value == 0x7F)
				return bad(parse,
					   "an escaped control character in the address");
			i += 2;
		} else if (!is_path_char(c) && !(is_query && c == '?')) {
			return bad(parse, "a character in the address must be escaped");
		}
	}
	return true;
}

/* "https://host/path" is legal in every request (RFC 9112 section 3.2.2); the host must then be
 * the one in Host. Leaves the path in parse->target. */
static bool strip_authority(struct parse *parse)
{
	struct text *target = &parse->target;
	size_t scheme = 0;
	size_t end;

	if (target->length > 8 && text_is_caseless((struct text){target->data, 8}, "https://"))
		scheme = 8;
	else if (target->length > 7 &&
		 text_is_caseless((struct text){target->data, 7}, "http://"))
		scheme = 7;
	if (scheme == 0)
		return bad(parse, "the address does not begin with /");
	for (end = scheme; end < target->length; end++)
		if (target->data[end] == '/' || target->data[end] == '?')
			break;
	if (!text_equals_caseless((struct text){target->data + scheme, end - scheme},
				  parse->host))
		return bad(parse, "the host in the address is not the one in Host");
	*target = (struct text){target->data + end, target->length - end};
	return true;
}

/* After the fields, because an absolute address is compared with Host. */
static bool parse_target(struct parse *parse)
{
	struct head *head = parse->head;
	const char *mark;
	struct text query = {"", 0};

	if (text_is(parse->target, "*")) {
		if (head->method != HTTP_OPTIONS)
			return bad(parse, "the address * goes with OPTIONS only");
		head->path = parse->target;
		return true;
	}
	if (parse->target.data[0] != '/' && !strip_authority(parse))
		return false;
	mark = parse->target.length > 0 ? memchr(parse->target.data, '?', parse->target.length)
					: NULL;
	if (mark != NULL) {
		size_t path_bytes = (size_t)(mark - parse->target.data);

		query = (struct text){mark + 1, parse->target.length - path_bytes - 1};
		parse->target.length = path_bytes;
	}
	if (!check_path(parse, parse->target, false) || !check_path(parse, query, true))
		return false;
	head->path = parse->target.length > 0 ? parse->target : TEXT("/");
	return true;
}

static bool parse_request_line(struct parse *parse, struct text line)
{
	const char *first = memchr(line.data, ' ', line.length);
	const char *last = memrchr(line.data, ' ', line.length);
	struct text method;

	if (first == NULL || first == last)
		return bad(parse, "the request line is not METHOD SP ADDRESS SP VERSION");
	method = (struct text){line.data, (size_t)(first - line.data)};
	parse->target = (struct text){first + 1, (size_t)(last - first - 1)};
	if (!text_is_token(method) || parse->target.length == 0 ||
	    memchr(parse->target.data, ' ', parse->target.length) != NULL)
		return bad(parse, "the request line is not METHOD SP ADDRESS SP VERSION");
	parse->head->method = method_of(method);
	if (!parse_version(parse, (struct text){last + 1,
						line.length - (size_t)(last + 1 - line.data)}))
		return false;
	if (method.length > HEAD_METHOD_MAX)
		return refuse(parse, PROBLEM_NOT_IMPLEMENTED, "this method is unknown");
	if (parse->target.length > HEAD_TARGET_MAX)
		return refuse(parse, PROBLEM_URI_TOO_LONG,
			      "the address is longer than 3200 bytes");
	return true;
}

/* --- fields ------------------------------------------------------------------------------ */

static bool is_port(struct text port)
{
	for (size_t i = 0; i < port.length; i++)
		if (!char_is_digit(port.data[i]))
			return false;
	return port.length <= 5;
}

/* A name or address with an optional port; no user, no escapes, nothing a name cannot hold. */
static bool take_host(struct parse *parse, struct text value)
{
	bool is_bracketed = value.length > 0 && value.data[0] == '[';
	size_t end = is_bracketed ? 1 : 0;
	size_t begin = end;

	for (; end < value.length; end++) {
		char c = value.data[end];

		if (is_bracketed ? !(char_is_hex(c) || c == ':' || c == '.')
				 : !(char_is_alnum(c) || c == '.' || c == '-' || c == '_'))
			break;
	}
	if (end == begin || end - begin > LIMIT_IDENTITY_BYTES)
		return bad(parse, "Host is not a host name");
	if (is_bracketed && (end == value.length || value.data[end++] != ']'))
		return bad(parse, "Host is not a host name");
	if (end < value.length &&
	    (value.data[end] != ':' ||
	     !is_port((struct text){value.data + end + 1, value.length - end - 1})))
		return bad(parse, "Host is not a host name with an optional port");
	parse->host = value;
	parse->has_host = true;
	return true;
}

static bool take_content_length(struct parse *parse, struct text value)
{
	uint64_t length = 0;

	/* 18 digits cannot overflow and are far above any body. */
	if (value.length == 0 || value.length > 18)
		return bad(parse, "Content-Length is not a number");
	for (size_t i = 0; i < value.length; i++) {
		if (!char_is_digit(value.data[i]))
			return bad(parse, "Content-Length is not a number");
		length = length * 10 + (uint64_t)(value.data[i] - '0');
	}
	parse->head->has_length = true;
	parse->head->content_length = length;
	return true;
}

static bool take_transfer_encoding(struct parse *parse, struct text value)
{
	parse->has_coding = true;
	parse->coding = value;
	return true;
}

static bool take_content_type(struct parse *parse, struct text value)
{
	parse->head->content_type = value;
	return true;
}

static bool take_content_encoding(struct parse *parse, struct text value)
{
	if (!text_is_caseless(value, "identity"))
		parse->head->has_encoding = true;
	return true;
}

static bool take_accept(struct parse *parse, struct text value)
{
	media_accept_add(&parse->head->accept, value);
	return true;
}

static bool take_connection(struct parse *parse, struct text value)
{
	struct text option;

	while (text_next(&value, ',', &option)) {
		if (text_is_caseless(option, "close"))
			parse->has_close = true;
		else if (text_is_caseless(option, "keep-alive"))
			parse->has_keep_alive = true;
	}
	return true;
}

static bool take_expect(struct parse *parse, struct text value)
{
	if (text_is_caseless(value, "100-continue"))
		parse->head->expects_continue = true;
	else
		parse->has_bad_expect = true;
	return true;
}

static bool take_upgrade(struct parse *parse, struct text value)
{
	(void)value;
	parse->has_upgrade = true;
	return true;
}

static bool take_request_id(struct parse *parse, struct text value)
{
	parse->head->request_id = ++parse->request_ids == 1 ? value : TEXT("");
	return true;
}

static bool take_trace_parent(struct parse *parse, struct text value)
{
	parse->head->trace_parent = ++parse->trace_parents == 1 ? value : TEXT("");
	return true;
}

/* Of a file. Twice, they say nothing that could be relied on: the whole file is always right.
 */
static bool take_range(struct parse *parse, struct text value)
{
	parse->head->range = ++parse->ranges == 1 ? value : TEXT("");
	return true;
}

static bool take_if_none_match(struct parse *parse, struct text value)
{
	parse->head->if_none_match = ++parse->matches == 1 ? value : TEXT("");
	return true;
}

static bool take_if_range(struct parse *parse, struct text value)
{
	/* A second one must not let a range through that the first would not have; nor an empty
	 * one. */
	parse->head->if_range = ++parse->if_ranges == 1 && value.length > 0 ? value : TEXT("?");
	return true;
}

static bool take_if_match(struct parse *parse, struct text value)
{
	/* A second one must not let through what the first would not have; nor an empty one. */
	parse->head->if_match =
		++parse->if_matches == 1 && value.length > 0 ? value : TEXT("?");
	return true;
}

struct field_row {
	const char *name;
	bool is_single; /* a second one is refused even if equal: whoever sent it is confused */
	bool (*take)(struct parse *parse, struct text value);
};

static const struct field_row field_rows[] = {
	{"host", true, take_host},
	{"content-length", true, take_content_length},
	{"transfer-encoding", true, take_transfer_encoding},
	{"content-type", true, take_content_type},
	{"content-encoding", false, take_content_encoding},
	{"accept", false, take_accept},
	{"connection", false, take_connection},
	{"expect", true, take_expect},
	{"upgrade", false, take_upgrade},
	{"x-request-id", false, take_request_id},
	{"traceparent", false, take_trace_parent},
	{"range", false, take_range},
	{"if-none-match", false, take_if_none_match},
	{"if-range", false, take_if_range},
	{"if-match", false, take_if_match},
};

static bool parse_field(struct parse *parse, struct text line)
{
	const char *colon = memchr(line.data, ':', line.length);
	struct text name;
	struct text value;

	if (colon == NULL)
		return bad(parse, "a header line has no colon");
	name = (struct text){line.data, (size_t)(colon - line.data)};
	/* A space before the colon lands here: it is no token character. */
	if (!text_is_token(name))
		return bad(parse, "a header name has a character that is not allowed");
	value = text_trim((struct text){colon + 1, line.length - name.length - 1});
	for (size_t i = 0; i < ARRAY_COUNT(field_rows); i++) {
		if (!text_is_caseless(name, field_rows[i].name))
			continue;
		if (field_rows[i].is_single && (parse->seen & 1u << i) != 0)
			return bad(parse,
				   "Host, Content-Length, Transfer-Encoding, Content-Type "
				   "and Expect may come once only");
		parse->seen |= 1u << i;
		return field_rows[i].take(parse, value);
	}
	return true;
}

/* --- the whole --------------------------------------------------------------------------- */

/* How the body is framed must have one answer; ours is Content-Length and nothing else. */
static bool check_framing(struct parse *parse)
{
	struct head *head = parse->head;

	if (parse->has_coding && head->is_http10)
		return bad(parse, "HTTP/1.0 has no Transfer-Encoding");
	if (parse->has_coding && head->has_length)
		return bad(parse, "Content-Length and Transfer-Encoding contradict each other");
	if (parse->has_coding && !text_is_caseless(parse->coding, "chunked"))
		return refuse(parse, PROBLEM_NOT_IMPLEMENTED,
			      "this Transfer-Encoding is unknown");
	if (parse->has_coding)
		return refuse(parse, PROBLEM_LENGTH_REQUIRED,
			      "chunked bodies are not taken: send Content-Length");
	if (head->method == HTTP_POST && !head->has_length)
		return refuse(parse, PROBLEM_LENGTH_REQUIRED, "POST without Content-Length");
	return true;
}

static bool check_whole(struct parse *parse)
{
	struct head *head = parse->head;

	if (!parse->has_host && !head->is_http10)
		return bad(parse, "Host is missing");
	if (!parse_target(parse) || !check_framing(parse))
		return false;
	if (parse->has_bad_expect)
		return refuse(parse, PROBLEM_EXPECTATION_FAILED, "Expect is not 100-continue");
	if (parse->has_upgrade)
		return refuse(parse, PROBLEM_NOT_IMPLEMENTED,
			      "there is no protocol to upgrade to");
	head->is_kept = !parse->has_close && (!head->is_http10 || parse->has_keep_alive);
	/* RFC 9110 section 10.1.1: from HTTP/1.0 the expectation is ignored. */
	head->expects_continue = head->expects_continue && !head->is_http10;
	return true;
}

/* Cuts one line off; the scan has shown that every line ends with CRLF. */
static bool next_line(struct text *rest, struct text *ret)
{
	const char *end = memchr(rest->data, '\r', rest->length);

	if (end == NULL || end == rest->data)
		return false;
	*ret = (struct text){rest->data, (size_t)(end - rest->data)};
	*rest = (struct text){end + 2, rest->length - ret->length - 2};
	return true;
}

bool head_parse(const char *data, size_t length, struct head *ret, struct head_fault *ret_fault)
{
	struct parse parse = {.head = ret, .fault = ret_fault};
	struct text rest = {data, length};
	struct text line;
	bool is_good = true;

	*ret = (struct head){.method = HTTP_UNKNOWN, .path = {"", 0}};
	*ret_fault = (struct head_fault){PROBLEM_NONE, ""};
	if (!next_line(&rest, &line))
		return bad(&parse, "there is no request line");
	if (!parse_request_line(&parse, line))
		return false;
	/* The rest is read even after a fault, so that a refusal carries the caller's ids;
	 * the first fault counts. */
	while (next_line(&rest, &line)) {
		struct head_fault first = *ret_fault;

		if (parse_field(&parse, line))
			continue;
		if (!is_good)
			*ret_fault = first;
		is_good = false;
	}
	return is_good && check_whole(&parse);
}
