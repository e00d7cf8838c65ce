/*
 * validator/paths.h - which names a file of a request may have. A path that passes can be
 * created below the workspace by any runtime without leaving it and without meeting another.
 */
#ifndef VALIDATOR_PATHS_H
#define VALIDATOR_PATHS_H

#include <stddef.h>

#include "base/err.h"

/* NULL when `path` is relative, normalised and free of control characters; else what is wrong,
 * as the rest of a sentence that begins with "the path". */
const char *path_fault(const char *path, size_t length);

struct path {
	const char *text; /* borrowed */
	size_t length;
	size_t index; /* of the file in the request */
};

enum path_clash {
	PATH_CLASH_NONE,
	PATH_CLASH_SAME,
	PATH_CLASH_CASE,
	PATH_CLASH_FOLDER_CASE,
	PATH_CLASH_FOLDER
};

/*
 * Sorts `paths` and finds the first two that cannot both exist: equal, equal but for ASCII
 * upper and lower case (a caller's own machine may not tell them apart), in folders that are,
 * or one a folder of the other. *ret_index is the later one's index in the request, *ret_other
 * the earlier's.
 */
enum path_clash path_find_clash(struct path *paths, size_t count, size_t *ret_index,
				size_t *ret_other);

/* Sorts `paths` and, of those that cannot exist beside one another, leaves the ones with the
 * smaller index, in that order. Returns how many are left. */
size_t path_drop_clashes(struct path *paths, size_t count);

#endif
