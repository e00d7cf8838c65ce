/*
 * sandbox/zygote/job.h - one job, inside the wall: payload in, report out, exit.
 */
#ifndef SANDBOX_ZYGOTE_JOB_H
#define SANDBOX_ZYGOTE_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/zygote/ops.h"

#define JOB_WORKSPACE "/workspace"

/* Waits for WORKER_JOB on the channel, runs it, ends the process with its exit status. */
_Noreturn void job_serve(int channel, const struct zygote_ops *ops);

/* Relative, normalised, not leaving its folder: no empty, "." or ".." part, no NUL. */
bool job_path_is_safe(const char *path, size_t length);

/* Writes one input file below `folder_fd`, making its folders. Follows no symbolic link. */
nodiscard int job_file_write(int folder_fd, const char *path, size_t path_length,
			     const char *data, size_t length, struct err *err);

#endif
