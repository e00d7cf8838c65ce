/*
 * sandbox/warden/collect.h - the files a job left in its workspace.
 *
 * Files are read only after every process of the job is dead, so nothing changes underneath.
 * The names, the tree and the contents are hostile: only regular files are read, no link is
 * followed, no mount is crossed (openat2(2)), and depth, count and bytes are bounded.
 */
#ifndef SANDBOX_WARDEN_COLLECT_H
#define SANDBOX_WARDEN_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/memfd.h"

/* An untouched workspace is the usual case and costs two system calls. */
bool collect_is_empty(int workspace_fd);

/* Appends one BUNDLE_RESULT_FILE per file that is new or differs from the payload's input file
 * of the same path, in the order of the paths' bytes. Content is added while it fits
 * `budget_bytes`; other files carry their size only. `ret_is_truncated`: some file is missing
 * altogether. */
nodiscard int collect_files(int workspace_fd, const struct span *payload, uint64_t budget_bytes,
			    struct buf *outcome, bool *ret_is_truncated, struct err *err);

#endif
