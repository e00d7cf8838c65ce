#include "schema/name_list.h"

#include <stdlib.h>
#include <string.h>

int name_list_compare(const struct name_entry *one, const struct name_entry *other)
{
	size_t shared = one->length < other->length ? one->length : other->length;
	int order = memcmp(one->name, other->name, shared);

	if (order != 0 || one->length == other->length)
		return order;
	return one->length < other->length ? -1 : 1;
}

static int compare(const void *one, const void *other)
{
	return name_list_compare(one, other);
}

static size_t parent_length(const char *name, size_t length)
{
	while (length > 0 && name[length - 1] != '.')
		length--;
	return length > 0 ? length - 1 : 0;
}

const struct name_entry *name_list_find(const struct name_list *names, const char *name,
					size_t length)
{
	if (names->count == 0)
		return NULL;
	/* The whole name first, then what it is below of: most labels decide. */
	for (; length > 0; length = parent_length(name, length)) {
		struct name_entry wanted = {.name = name, .length = length};
		const struct name_entry *found = bsearch(&wanted, names->entries, names->count,
							 sizeof(*names->entries), compare);

		if (found != NULL)
			return found;
	}
	return NULL;
}
