/*
 * sandbox/layers/landlock_rules.h - a list of Landlock rules while it is put together.
 *
 * For the worker (landlock.c) and, at a level without cells, for the warden and all below it.
 */
#ifndef SANDBOX_LAYERS_LANDLOCK_RULES_H
#define SANDBOX_LAYERS_LANDLOCK_RULES_H

#include <linux/landlock.h>
#include <stdint.h>

#include "base/confine.h"

/* Rights that newer ABIs added; confine_landlock() leaves out what the kernel does not know. */
#define LANDLOCK_REFER	  (1ull << 13)
#define LANDLOCK_TRUNCATE (1ull << 14)

#define LANDLOCK_FILE_READ   (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE)
#define LANDLOCK_FOLDER_READ (LANDLOCK_FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR)

/* Everything a program does with its own files, but neither execute them nor make devices
 * or sockets. */
#define LANDLOCK_FOLDER_WRITE                                            \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |    \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |  \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_FIFO |    \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_REFER | LANDLOCK_TRUNCATE)

/* A root has some thirty entries; the warden needs about fifteen for each of 16 runtimes. */
#define LANDLOCK_RULES_MAX 320

struct landlock_rules {
	struct confine_folder list[LANDLOCK_RULES_MAX];
	size_t count;
};

/* flags: O_NOFOLLOW or 0. */
nodiscard int landlock_rules_add(struct landlock_rules *rules, int folder_fd, const char *path,
				 int flags, uint64_t access, struct err *err);

/* The system as a job may see it without a root of its own: reading and executing below the
 * comma-separated `root_paths` and the usual folders of programs and libraries, and the four
 * harmless devices. A listed path that does not exist is an error, but for one below /etc. */
nodiscard int landlock_rules_add_system(struct landlock_rules *rules, const char *root_paths,
					struct err *err);

void landlock_rules_done(struct landlock_rules *rules);

#endif
