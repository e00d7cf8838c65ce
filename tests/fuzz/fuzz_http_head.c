/*
 * Fuzzes the gate's reading of a request head: any bytes, whole and in pieces, give one
 * verdict, and what is accepted has exactly the properties that make it safe to believe.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schema/status.h"
#include "server/gate/endpoint.h"
#include "server/gate/head.h"
#include "server/gate/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

static enum head_state scan_in_pieces(const char *raw, size_t length, size_t step,
				      struct head_scan *scan, struct head_fault *fault)
{
	enum head_state state = HEAD_MORE;

	for (size_t have = step; state == HEAD_MORE; have += step) {
		state = head_scan(scan, raw, have < length ? have : length, fault);
		if (have >= length)
			break;
	}
	return state;
}

/* Whether the accepted bytes are lines that end with CRLF and hold no control character. */
static void must_be_clean(const char *raw, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)raw[i];

		must(c >= 0x20 || c == '\t' || c == '\r' || c == '\n');
		must(c != '\r' || (i + 1 < length && raw[i + 1] == '\n'));
		must(c != '\n' || (i > 0 && raw[i - 1] == '\r'));
	}
}

static void must_be_safe(const struct head *head)
{
	struct endpoint_fault fault;
	struct text id;
	struct text file;
	enum endpoint_action action;
	char name[LIMIT_REQUEST_ID_BYTES + 1];

	must(head->path.length > 0 && head->path.length <= HEAD_TARGET_MAX);
	must(head->path.data[0] == '/' || text_is(head->path, "*"));
	must(memchr(head->path.data, '?', head->path.length) == NULL);
	must(memmem(head->path.data, head->path.length, "%00", 3) == NULL);
	must(head->method != HTTP_POST || head->has_length);
	must(head->content_length < 1000000000000000000u);
	action = endpoint_find(head->path, LISTENER_MAIN, &id, &file);
	must(action != ENDPOINT_EXECUTION || id.length == LIMIT_ID_CHARS);
	must(action != ENDPOINT_FILE || (id.length == LIMIT_ID_CHARS && file.length > 0));
	(void)endpoint_check(action, head, LIMIT_BODY_BYTES, &fault);
	trace_take_id(head->request_id, name);
	must(trace_id_is_good((struct text){name, strlen(name)}));
	trace_take_parent(head->trace_parent, name);
	must(trace_parent_is_good((struct text){name, strlen(name)}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size > 0 ? data[0] % 16 + 1 : 1;
	char *raw =
		malloc(size + 1); /* of that size exactly: the sanitizer sees each over-read */
	struct head_scan whole = {0};
	struct head_scan pieces = {0};
	struct head_fault fault = {0, ""};
	struct head_fault fault_pieces = {0, ""};
	enum head_state state;
	struct head head;

	if (raw == NULL || size == 0) {
		free(raw);
		return 0;
	}
	memcpy(raw, data + 1, size - 1);
	state = head_scan(&whole, raw, size - 1, &fault);
	must(state == scan_in_pieces(raw, size - 1, step, &pieces, &fault_pieces));
	must(fault.problem == fault_pieces.problem);
	if (state == HEAD_WHOLE) {
		must(whole.end == pieces.end && whole.start == pieces.start);
		must(whole.end <= HEAD_BYTES_MAX);
		must_be_clean(raw, whole.end);
		if (head_parse(raw + whole.start, whole.end - whole.start, &head, &fault))
			must_be_safe(&head);
		else
			must(fault.problem != PROBLEM_NONE && fault.detail[0] != '\0');
	}
	free(raw);
	return 0;
}
