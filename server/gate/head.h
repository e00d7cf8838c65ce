/*
 * server/gate/head.h - the head of a request, read byte by byte against RFC 9112.
 *
 * Runs in the gate on bytes from anyone with a certificate; trusts none. What it accepts has
 * one meaning only: CRLF line ends, no folding, no control characters, no field that frames the
 * body twice, no chunked coding. libmicrohttpd never sees these bytes (see
 * server/gate/engine.h), so nothing it would read in a different way can matter.
 */
#ifndef SERVER_GATE_HEAD_H
#define SERVER_GATE_HEAD_H

#include <stdint.h>

#include "server/gate/media.h"
#include "server/gate/text.h"

#define HEAD_BYTES_MAX	16384 /* the whole head; proxies in front allow 8 to 16 KiB */
#define HEAD_FIELDS_MAX 64    /* header lines; clients send about ten, proxies add a dozen */
#define HEAD_METHOD_MAX 32    /* bytes; the longest registered method has 17 */
/* Bytes; the longest is that of a file whose path has 1024, all of them escaped. */
#define HEAD_TARGET_MAX 3200
#define HEAD_LINE_MAX	(HEAD_METHOD_MAX + HEAD_TARGET_MAX + 10) /* request line with version */

enum head_state { HEAD_MORE, HEAD_WHOLE, HEAD_REFUSED };

/* Why a head is refused; both texts are constants. */
struct head_fault {
	uint8_t problem; /* enum problem; PROBLEM_NONE: no fault */
	const char *detail;
};

/* Zero-initialise for each head. */
struct head_scan {
	size_t at;	   /* bytes looked at so far */
	size_t line_start; /* of the line being read */
	size_t start;	   /* where the request line begins: 0, or 2 after an empty line */
	size_t end;	   /* when whole: bytes of the head with its final empty line */
	unsigned lines;
	bool is_after_cr;
};

enum http_method {
	HTTP_GET = 1,
	HTTP_HEAD = 2,
	HTTP_POST = 4,
	HTTP_OPTIONS = 8,
	HTTP_KNOWN = 16,   /* registered, but nothing here has it: 405 */
	HTTP_UNKNOWN = 32, /* 501 */
};

/* The texts point into the bytes given to head_parse(). */
struct head {
	enum http_method method;
	bool is_http10;
	bool is_kept;	       /* the caller wants the connection kept */
	bool expects_continue; /* waits for "100 Continue" before it sends the body */
	bool has_length;
	bool has_encoding; /* a Content-Encoding other than identity */
	uint64_t content_length;
	struct text path; /* origin-form path without the query; "*" for OPTIONS * */
	struct text content_type;
	struct text request_id;	  /* empty unless sent exactly once */
	struct text trace_parent; /* the same */
	struct text range;	  /* these two empty unless sent exactly once */
	struct text if_none_match;
	struct text if_range; /* these two empty unless sent; a second one matches nothing */
	struct text if_match;
	struct media_accept accept;
};

/*
 * Looks at the bytes of `data` from scan->at on, so a head that comes in pieces costs no more
 * than one that comes whole; `data` must start with the same bytes as the last time. Judges
 * only what single bytes and line ends tell.
 */
enum head_state head_scan(struct head_scan *scan, const char *data, size_t length,
			  struct head_fault *ret_fault);

/*
 * Reads a whole head (scan->start to scan->end). Returns true when it is good. When it is not,
 * what was read before the fault is in `ret` all the same: the answer names the path and
 * carries the caller's request id.
 */
bool head_parse(const char *data, size_t length, struct head *ret,
		struct head_fault *ret_fault);

#endif
