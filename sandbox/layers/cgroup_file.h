/*
 * sandbox/layers/cgroup_file.h - reading and writing the small text files of a control group;
 * inside the cgroup layer only.
 */
#ifndef SANDBOX_LAYERS_CGROUP_FILE_H
#define SANDBOX_LAYERS_CGROUP_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "schema/status.h"

/* Writes `text` in one write(2); `err` may be NULL. */
nodiscard int cgroup_write(int folder, const char *file, const char *text, struct err *err);
nodiscard int cgroup_write_u64(int folder, const char *file, uint64_t value, struct err *err);

/* Reads at most `size` - 1 bytes and ends them with a NUL. */
nodiscard int cgroup_read(int folder, const char *file, char *ret, size_t size);

/* The number at the start of an open file, or after `key` at the start of one of its lines;
 * 0 when there is none. */
uint64_t cgroup_number(int fd, const char *key);

/* Kills what is left in the folder and removes it; waits a bounded time. */
nodiscard int cgroup_folder_remove(int parent, const char *name);

#endif
