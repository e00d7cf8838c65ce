/*
 * sandbox/layers/root_tree.h - the binds and links of a root, opened on the host first and put
 * in place afterwards, so that no source can be hidden by what is mounted meanwhile.
 *
 * Used by root.c only.
 */
#ifndef SANDBOX_LAYERS_ROOT_TREE_H
#define SANDBOX_LAYERS_ROOT_TREE_H

#include <limits.h>
#include <stdint.h>

#include "base/err.h"

#define ROOT_PATH_MAX 256 /* bytes with NUL; paths of interpreters and libraries are short */
#define ROOT_TREE_MAX 64  /* binds and links; a runtime lists a handful */

struct root_entry {
	int mount_fd; /* a detached copy of the source; -1: a symbolic link */
	int is_folder;
	char path[ROOT_PATH_MAX];
	char target[ROOT_PATH_MAX]; /* of a link */
};

struct root_tree {
	size_t count;
	struct root_entry entries[ROOT_TREE_MAX];
};

/* A detached copy of the host's `path` and what is mounted below it, with `attributes`
 * (MOUNT_ATTR_*) set on all of it; locked flags of the host's mounts stay. A symbolic link is
 * followed. */
nodiscard int root_tree_bind(struct root_tree *tree, const char *path, uint64_t attributes,
			     struct err *err);

/* The same symbolic link as the host's. */
nodiscard int root_tree_link(struct root_tree *tree, const char *path, struct err *err);

/* Whether `path` itself is an entry already. */
int root_tree_has(const struct root_tree *tree, const char *path);

/* Puts every entry below the working folder, making parents as needed. */
nodiscard int root_tree_place(const struct root_tree *tree, struct err *err);

void root_tree_done(struct root_tree *tree);

#endif
