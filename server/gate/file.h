/*
 * server/gate/file.h - GET and HEAD of a kept result file.
 *
 * Two questions: what the file is, then, when the caller's conditions want bytes of it, exactly
 * those. Conditions and ranges are HTTP and stay in the gate; who may see the file is for the
 * ledger. Content comes from untrusted code: it is never given out as anything but bytes to be
 * saved.
 */
#ifndef SERVER_GATE_FILE_H
#define SERVER_GATE_FILE_H

#include "server/gate/gate.h"

/* Conditions longer than these are treated as if they were not sent: the whole file is right.
 * Only a longer If-Match is one that does not hold. */
#define FILE_RANGE_MAX	       64
#define FILE_IF_NONE_MATCH_MAX 1024
#define FILE_IF_RANGE_MAX      128
#define FILE_IF_MATCH_MAX      1024

struct file_request {
	char path[LIMIT_PATH_BYTES + 1]; /* decoded */
	char range[FILE_RANGE_MAX + 1];
	char if_none_match[FILE_IF_NONE_MATCH_MAX + 1];
	char if_range[FILE_IF_RANGE_MAX + 1];
	char if_match[FILE_IF_MATCH_MAX + 1];
	bool is_known; /* what the file is has been answered */
	struct answer_file facts;
	char etag[2 * 32 + 3];
	bool is_part;
	uint64_t first;
	uint64_t length;
};

/* The request names a file: asks for it, or refuses. */
void file_begin(struct conn *conn, const struct head *head);

/* The ledger has answered. `content` is taken; false: it does not fit the question. */
bool file_answered(struct conn *conn, const struct answer_file *answer,
		   struct span *take_content, bool has_content);

#endif
