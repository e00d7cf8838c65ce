#include "schema/status.h"
#include "server/gate/head.h"

static enum head_state refuse(struct head_fault *fault, uint8_t problem, const char *detail)
{
	*fault = (struct head_fault){problem, detail};
	return HEAD_REFUSED;
}

/* A line ended at `at`, the position of its LF. */
static enum head_state line_end(struct head_scan *scan, struct head_fault *fault)
{
	size_t line_bytes = scan->at - 1 - scan->line_start;
	size_t next = scan->at + 1;

	if (line_bytes == 0 && scan->lines == 0) {
		/* RFC 9112 section 2.2: one empty line before the request line is forgiven. */
		if (scan->start != 0)
			return refuse(fault, PROBLEM_BAD_REQUEST,
				      "more than one empty line before the request line");
		scan->start = next;
	} else if (line_bytes == 0) {
		scan->end = next;
		return HEAD_WHOLE;
	} else if (++scan->lines > HEAD_FIELDS_MAX + 1) {
		return refuse(fault, PROBLEM_HEADERS_TOO_LARGE, "too many header fields");
	}
	scan->line_start = next;
	return HEAD_MORE;
}

/* Judges the byte at scan->at. */
static enum head_state judge(struct head_scan *scan, unsigned char c, struct head_fault *fault)
{
	bool is_first_of_line = scan->at == scan->line_start;

	if (scan->is_after_cr) {
		scan->is_after_cr = false;
		if (c != '\n')
			return refuse(fault, PROBLEM_BAD_REQUEST, "CR without LF");
		return line_end(scan, fault);
	}
	if (c == '\r') {
		scan->is_after_cr = true;
		return HEAD_MORE;
	}
	if (c == '\n')
		return refuse(fault, PROBLEM_BAD_REQUEST, "LF without CR");
	if ((c < 0x20 && c != '\t') || c == 0x7F)
		return refuse(fault, PROBLEM_BAD_REQUEST, "control character in the head");
	if (is_first_of_line && (c == ' ' || c == '\t'))
		return refuse(fault, PROBLEM_BAD_REQUEST,
			      "a line begins with white space (folded headers are obsolete)");
	if (scan->lines == 0 && scan->at - scan->line_start >= HEAD_LINE_MAX)
		return refuse(fault, PROBLEM_URI_TOO_LONG, "the request line is too long");
	return HEAD_MORE;
}

enum head_state head_scan(struct head_scan *scan, const char *data, size_t length,
			  struct head_fault *ret_fault)
{
	for (; scan->at < length; scan->at++) {
		enum head_state state;

		if (scan->at >= HEAD_BYTES_MAX)
			return refuse(ret_fault, PROBLEM_HEADERS_TOO_LARGE,
				      "the header section is larger than 16 KiB");
		state = judge(scan, (unsigned char)data[scan->at], ret_fault);
		if (state != HEAD_MORE)
			return state;
	}
	return HEAD_MORE;
}
