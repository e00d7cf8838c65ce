#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/own.h"
#include "schema/status.h"
#include "server/gate/head.h"

TestSuite(head, .timeout = 10);

/* Scans in pieces of `step` bytes and parses. Returns the problem, PROBLEM_NONE when good. */
static int judge(const char *raw, size_t length, size_t step, struct head *ret)
{
	struct head_scan scan = {0};
	struct head_fault fault = {0, ""};

	for (size_t have = step < length ? step : length;; have += step) {
		enum head_state state;

		if (have > length)
			have = length;
		state = head_scan(&scan, raw, have, &fault);
		if (state == HEAD_REFUSED)
			return fault.problem;
		if (state == HEAD_WHOLE)
			break;
		if (have == length)
			return -1;
	}
	(void)head_parse(raw + scan.start, scan.end - scan.start, ret, &fault);
	return fault.problem;
}

static int judge_text(const char *raw, struct head *ret)
{
	return judge(raw, strlen(raw), 4096, ret);
}

Test(head, a_post_is_read_field_by_field)
{
	const char *raw =
		"POST /v1/executions?x=1 HTTP/1.1\r\nhOsT: a.example:8443\r\n"
		"Content-Type: application/json\r\nContent-Length: 12\r\n"
		"Accept: text/html\r\nAccept: application/*;q=0.5\r\n"
		"X-Request-Id: one\r\ntraceparent: two\r\nExpect: 100-Continue\r\n\r\n";
	struct head head;

	cr_assert(eq(int, judge_text(raw, &head), PROBLEM_NONE));

	cr_assert(eq(int, (int)head.method, HTTP_POST));
	cr_assert(text_is(head.path, "/v1/executions"));
	cr_assert(eq(u64, head.content_length, 12));
	cr_assert(text_is(head.request_id, "one") && text_is(head.trace_parent, "two"));
	cr_assert(head.expects_continue && head.is_kept && head.has_length);
	cr_assert(not(head.is_http10));
	cr_assert(not(head.has_encoding));
	cr_assert(media_accept_allows_json(&head.accept));
}

Test(head, every_split_gives_the_same_verdict)
{
	static const char *const raws[] = {
		"\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
		"GET /livez%00 HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
	};

	for (size_t i = 0; i < ARRAY_COUNT(raws); i++) {
		struct head head;
		int whole = judge_text(raws[i], &head);

		for (size_t step = 1; step < 60; step++)
			cr_assert(eq(int, judge(raws[i], strlen(raws[i]), step, &head), whole),
				  "row %zu in steps of %zu", i, step);
	}
}

Test(head, no_control_character_passes_anywhere)
{
	static const char whole[] = "GET /livez HTTP/1.1\r\nHost: a\r\nX-A: bcd\r\n\r\n";

	for (int c = 0; c < 0x20; c++) {
		for (size_t at = 0; at + 4 < sizeof(whole) - 1; at++) {
			char raw[sizeof(whole)];
			struct head head;
			int problem;

			if (c == '\t' || whole[at] == '\r' || whole[at] == '\n')
				continue;
			memcpy(raw, whole, sizeof(raw));
			raw[at] = (char)c;
			problem = judge(raw, sizeof(raw) - 1, 4096, &head);
			cr_assert(ne(int, problem, PROBLEM_NONE), "byte %d at %zu", c, at);
			cr_assert(ne(int, problem, -1), "byte %d at %zu", c, at);
		}
	}
}

Test(head, connection_decides_what_is_kept)
{
	struct {
		const char *raw;
		bool is_kept;
	} rows[] = {
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false},
		{"GET / HTTP/1.0\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
		{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nConnection: close\r\n\r\n",
		 false},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct head head;

		cr_assert(eq(int, judge_text(rows[i].raw, &head), PROBLEM_NONE));
		cr_assert(eq(int, head.is_kept, rows[i].is_kept), "row %zu", i);
	}
}

Test(head, a_refusal_still_carries_the_callers_ids)
{
	struct head head;

	cr_assert(eq(
		int,
		judge_text("GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\nX-Request-Id: id\r\n\r\n",
			   &head),
		PROBLEM_BAD_REQUEST));
	cr_assert(text_is(head.request_id, "id"));
}

Test(head, an_id_sent_twice_is_no_id)
{
	struct head head;

	cr_assert(eq(int,
		     judge_text("GET /x HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\r\n"
				"X-Request-Id: b\r\n\r\n",
				&head),
		     PROBLEM_NONE));
	cr_assert(eq(sz, head.request_id.length, 0));
}

Test(head, limits_are_exact)
{
	char raw[HEAD_BYTES_MAX + 64];
	char target[HEAD_TARGET_MAX + 2];
	struct head head;
	int length;
	size_t room;

	memset(target, 'a', sizeof(target));
	target[0] = '/';
	length = snprintf(raw, sizeof(raw), "GET %.*s HTTP/1.1\r\nHost: a\r\n\r\n",
			  HEAD_TARGET_MAX, target);
	cr_assert(eq(int, judge(raw, (size_t)length, 4096, &head), PROBLEM_NONE));
	length = snprintf(raw, sizeof(raw), "GET %.*s HTTP/1.1\r\nHost: a\r\n\r\n",
			  HEAD_TARGET_MAX + 1, target);
	cr_assert(eq(int, judge(raw, (size_t)length, 4096, &head), PROBLEM_URI_TOO_LONG));

	length = snprintf(raw, sizeof(raw), "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	room = HEAD_BYTES_MAX - (size_t)length - 4;
	memset(raw + length, 'b', room + 1);
	memcpy(raw + length + room, "\r\n\r\n", 4);
	cr_assert(eq(int, judge(raw, HEAD_BYTES_MAX, 4096, &head), PROBLEM_NONE));
	memset(raw + length, 'b', room + 1);
	memcpy(raw + length + room + 1, "\r\n\r\n", 4);
	cr_assert(eq(int, judge(raw, HEAD_BYTES_MAX + 1, 4096, &head),
		     PROBLEM_HEADERS_TOO_LARGE));
}
