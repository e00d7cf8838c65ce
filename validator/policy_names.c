#include "validator/policy_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static int compare_entries(const void *one, const void *other)
{
	return name_list_compare(one, other);
}

static void add(struct name_list *names, const json_t *list, bool is_denied)
{
	size_t index;
	json_t *name;

	json_array_foreach(list, index, name)
	{
		names->entries[names->count++] =
			(struct name_entry){.name = json_string_value(name),
					    .length = json_string_length(name),
					    .is_denied = is_denied};
	}
}

/* Of a name in both lists one entry stays, and it denies. */
static void merge_equal(struct name_list *names)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->count; i++) {
		struct name_entry *entry = &names->entries[i];

		if (kept > 0 && name_list_compare(&names->entries[kept - 1], entry) == 0)
			names->entries[kept - 1].is_denied |= entry->is_denied;
		else
			names->entries[kept++] = *entry;
	}
	names->count = kept;
}

int policy_names_load(const json_t *list, struct name_list *ret)
{
	const json_t *allow = json_object_get(list, "allow");
	const json_t *deny = json_object_get(list, "deny");
	const char *otherwise = json_string_value(json_object_get(list, "default"));
	size_t count = json_array_size(allow) + json_array_size(deny);

	*ret = (struct name_list){.is_denied =
					  otherwise != NULL && strcmp(otherwise, "deny") == 0};
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

/* Of a hint, bytes. The built-in policies' longest list has 60 modules of 9 bytes. */
#define HINT_BYTES_MAX 1024

static void add_allowed(struct buf *text, const struct name_list *names)
{
	size_t left = 0;

	for (size_t i = 0; i < names->count; i++) {
		const struct name_entry *entry = &names->entries[i];

		if (entry->is_denied)
			continue;
		if (text->length + entry->length + 32 > HINT_BYTES_MAX) {
			left++;
			continue;
		}
		buf_add_char(text, ' ');
		buf_add(text, entry->name, entry->length);
	}
	if (left > 0)
		buf_printf(text, " (and %zu more)", left);
}

int policy_names_hint(const struct name_list *names, const char *topic, char **ret)
{
	own_buf text;

	buf_init(&text, HINT_BYTES_MAX + 64);
	*ret = NULL;
	if (!names->is_denied)
		return 0;
	buf_printf(&text, "Use only the %s that this policy allows:", topic);
	add_allowed(&text, names);
	if (buf_check(&text, NULL) == 0)
		*ret = strdup(text.data);
	return *ret != NULL ? 0 : -ENOMEM;
}

void policy_names_done(struct name_list *names)
{
	free(names->entries);
	*names = (struct name_list){.entries = NULL};
}
