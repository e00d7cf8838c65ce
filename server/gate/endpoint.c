#include "server/gate/endpoint.h"

#include <string.h>

#include "base/own.h"
#include "schema/limits.h"
#include "schema/status.h"

#define BOTH (LISTENER_MAIN | LISTENER_OPERATIONS)
#define READ (HTTP_GET | HTTP_HEAD | HTTP_OPTIONS)

static const char execution_prefix[] = "/v1/executions/";
static const char files_infix[] = "/files/";

static const struct endpoint endpoints[ENDPOINT_COUNT] = {
	[ENDPOINT_EXECUTE] = {"/v1/executions", "POST, OPTIONS", HTTP_POST | HTTP_OPTIONS,
			      LISTENER_MAIN, true},
	[ENDPOINT_VALIDATE] = {"/v1/validations", "POST, OPTIONS", HTTP_POST | HTTP_OPTIONS,
			       LISTENER_MAIN, true},
	[ENDPOINT_EXECUTION] = {"/v1/executions/{id}", "GET, HEAD, OPTIONS", READ,
				LISTENER_MAIN, true},
	[ENDPOINT_FILE] = {"/v1/executions/{id}/files/{path}", "GET, HEAD, OPTIONS", READ,
			   LISTENER_MAIN, false},
	[ENDPOINT_RUNTIMES] = {"/v1/runtimes", "GET, HEAD, OPTIONS", READ, LISTENER_MAIN, true},
	[ENDPOINT_CAPABILITIES] = {"/v1/capabilities", "GET, HEAD, OPTIONS", READ,
				   LISTENER_MAIN, true},
	[ENDPOINT_OPENAPI] = {"/openapi.json", "GET, HEAD, OPTIONS", READ, LISTENER_MAIN, true},
	[ENDPOINT_LIVEZ] = {"/livez", "GET, HEAD, OPTIONS", READ, BOTH, false},
	[ENDPOINT_READYZ] = {"/readyz", "GET, HEAD, OPTIONS", READ, BOTH, false},
	[ENDPOINT_METRICS] = {"/metrics", "GET, HEAD, OPTIONS", READ, BOTH, false},
	[ENDPOINT_SERVER] = {"*", "GET, HEAD, POST, OPTIONS", HTTP_OPTIONS, BOTH, false},
	[ENDPOINT_NONE] = {"none", "", 0, 0, false},
};

const struct endpoint *endpoint_of(enum endpoint_action action)
{
	return &endpoints[action < ENDPOINT_COUNT ? action : ENDPOINT_NONE];
}

/* A ULID: 26 digits of Crockford's base 32, 128 bits, so the first is at most 7. */
static bool is_ulid(struct text id)
{
	if (id.length != LIMIT_ID_CHARS || id.data[0] > '7')
		return false;
	for (size_t i = 0; i < id.length; i++) {
		char c = id.data[i];

		if (!char_is_digit(c) &&
		    !(c >= 'A' && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U'))
			return false;
	}
	return true;
}

/* "{id}" or "{id}/files/{path}" */
static enum endpoint_action find_below(struct text rest, struct text *ret_id,
				       struct text *ret_file)
{
	const size_t infix = sizeof(files_infix) - 1;
	struct text id = {rest.data,
			  rest.length < LIMIT_ID_CHARS ? rest.length : LIMIT_ID_CHARS};

	if (!is_ulid(id))
		return ENDPOINT_NONE;
	rest = (struct text){rest.data + id.length, rest.length - id.length};
	if (rest.length > 0 &&
	    (rest.length <= infix || memcmp(rest.data, files_infix, infix) != 0))
		return ENDPOINT_NONE;
	*ret_id = id;
	if (rest.length == 0)
		return ENDPOINT_EXECUTION;
	*ret_file = (struct text){rest.data + infix, rest.length - infix};
	return ENDPOINT_FILE;
}

enum endpoint_action endpoint_find(struct text path, enum listener listener,
				   struct text *ret_id, struct text *ret_file)
{
	size_t prefix = sizeof(execution_prefix) - 1;

	*ret_id = TEXT("");
	*ret_file = TEXT("");
	for (unsigned i = 0; i < ENDPOINT_NONE; i++)
		if ((endpoints[i].listeners & listener) != 0 &&
		    text_is(path, endpoints[i].path))
			/* The template itself is no address. */
			return i == ENDPOINT_EXECUTION || i == ENDPOINT_FILE
				       ? ENDPOINT_NONE
				       : (enum endpoint_action)i;
	if (listener == LISTENER_MAIN && path.length > prefix &&
	    memcmp(path.data, execution_prefix, prefix) == 0)
		return find_below((struct text){path.data + prefix, path.length - prefix},
				  ret_id, ret_file);
	return ENDPOINT_NONE;
}

static bool refuse(struct endpoint_fault *fault, uint8_t problem, const char *detail,
		   const char *hint)
{
	*fault = (struct endpoint_fault){problem, detail, hint};
	return false;
}

static bool check_body(const struct head *head, uint64_t body_bytes_max,
		       struct endpoint_fault *fault)
{
	if (head->method != HTTP_POST)
		return head->content_length == 0 ||
		       refuse(fault, PROBLEM_BAD_REQUEST, "a body goes with POST only",
			      "Send the request without a body.");
	if (head->has_encoding)
		return refuse(fault, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
			      "Content-Encoding is not taken", "Send the body uncompressed.");
	if (!media_is_json(head->content_type))
		return refuse(fault, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
			      "Content-Type is not application/json in UTF-8",
			      "Send the header Content-Type: application/json.");
	if (head->content_length > body_bytes_max)
		return refuse(fault, PROBLEM_BODY_TOO_LARGE,
			      "Content-Length is above the configured maximum",
			      "Send less code or fewer files in one request.");
	return true;
}

bool endpoint_check(enum endpoint_action action, const struct head *head,
		    uint64_t body_bytes_max, struct endpoint_fault *ret_fault)
{
	const struct endpoint *endpoint = endpoint_of(action);

	if (head->method == HTTP_UNKNOWN)
		return refuse(ret_fault, PROBLEM_NOT_IMPLEMENTED, "this method is unknown",
			      "Use GET or POST.");
	if (action == ENDPOINT_NONE)
		return refuse(ret_fault, PROBLEM_NOT_FOUND, "no resource has this address",
			      "GET /openapi.json lists the addresses.");
	if ((endpoint->methods & head->method) == 0)
		return refuse(ret_fault, PROBLEM_METHOD_NOT_ALLOWED,
			      "this address does not have this method",
			      "The header Allow lists the methods.");
	if (head->method == HTTP_OPTIONS && head->content_length == 0)
		return true;
	if (endpoint->is_json && !media_accept_allows_json(&head->accept))
		return refuse(ret_fault, PROBLEM_NOT_ACCEPTABLE,
			      "Accept excludes application/json",
			      "Send Accept: application/json, or no Accept at all.");
	return check_body(head, body_bytes_max, ret_fault);
}
