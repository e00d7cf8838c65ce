#include "validator/policy_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const struct policy_entry *one, const struct policy_entry *other)
{
	size_t shared = one->length < other->length ? one->length : other->length;
	int order = memcmp(one->name, other->name, shared);

	if (order != 0 || one->length == other->length)
		return order;
	return one->length < other->length ? -1 : 1;
}

static int compare_entries(const void *one, const void *other)
{
	return compare(one, other);
}

static void add(struct policy_names *names, const json_t *list, bool is_denied)
{
	size_t index;
	json_t *name;

	json_array_foreach(list, index, name)
	{
		names->entries[names->count++] =
			(struct policy_entry){.name = json_string_value(name),
					      .length = json_string_length(name),
					      .is_denied = is_denied};
	}
}

/* Of a name in both lists one entry stays, and it denies. */
static void merge_equal(struct policy_names *names)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->count; i++) {
		struct policy_entry *entry = &names->entries[i];

		if (kept > 0 && compare(&names->entries[kept - 1], entry) == 0)
			names->entries[kept - 1].is_denied |= entry->is_denied;
		else
			names->entries[kept++] = *entry;
	}
	names->count = kept;
}

int policy_names_load(const json_t *list, struct policy_names *ret)
{
	const json_t *allow = json_object_get(list, "allow");
	const json_t *deny = json_object_get(list, "deny");
	const char *otherwise = json_string_value(json_object_get(list, "default"));
	size_t count = json_array_size(allow) + json_array_size(deny);

	*ret = (struct policy_names){.is_denied = otherwise != NULL &&
						  strcmp(otherwise, "deny") == 0};
	if (count == 0)
		return 0;
	ret->entries = calloc(count, sizeof(*ret->entries));
	if (ret->entries == NULL)
		return -ENOMEM;
	add(ret, allow, false);
	add(ret, deny, true);
	qsort(ret->entries, ret->count, sizeof(*ret->entries), compare_entries);
	merge_equal(ret);
	return 0;
}

void policy_names_done(struct policy_names *names)
{
	free(names->entries);
	*names = (struct policy_names){.entries = NULL};
}

static size_t parent_length(const char *name, size_t length)
{
	while (length > 0 && name[length - 1] != '.')
		length--;
	return length > 0 ? length - 1 : 0;
}

const struct policy_entry *policy_names_find(const struct policy_names *names, const char *name)
{
	if (names->count == 0)
		return NULL;
	/* The whole name first, then what it is below of: most labels decide. */
	for (size_t length = strlen(name); length > 0; length = parent_length(name, length)) {
		struct policy_entry wanted = {.name = name, .length = length};
		const struct policy_entry *found =
			bsearch(&wanted, names->entries, names->count, sizeof(*names->entries),
				compare_entries);

		if (found != NULL)
			return found;
	}
	return NULL;
}
