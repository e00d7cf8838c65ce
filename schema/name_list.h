/*
 * schema/name_list.h - allowed and denied dotted names, as a policy lists them. The validator
 * asks before code runs, a worker's second lock while it runs; both must read a list alike.
 *
 * An entry names a thing and everything below it. The entry with most labels decides; what no
 * entry names follows the list's default.
 */
#ifndef SCHEMA_NAME_LIST_H
#define SCHEMA_NAME_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

struct name_entry {
	const char *name; /* borrowed, not NUL-terminated */
	size_t length;
	bool is_denied;
};

/* Strictly ascending by name_list_compare(). Zeroed: everything is allowed. */
struct name_list {
	struct name_entry *entries;
	size_t count;
	bool is_denied; /* a name that no entry covers */
};

/* Whether it can deny any name; false: there is nothing to ask. */
static inline bool name_list_denies_any(const struct name_list *names)
{
	return names->is_denied || names->count > 0;
}

/* Bytewise, as memcmp(3) orders; a name before its own continuations. */
int name_list_compare(const struct name_entry *one, const struct name_entry *other);

/* The entry that decides about `name`, or NULL: the default does. */
const struct name_entry *name_list_find(const struct name_list *names, const char *name,
					size_t length);

#endif
