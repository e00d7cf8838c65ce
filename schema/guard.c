#include "schema/guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/wire.h"

#define ENTRY_HEADER_BYTES 3

/* --- writing ----------------------------------------------------------------------------- */

static void put(struct buf *buf, uint64_t value, unsigned bytes)
{
	uint8_t data[4];
	struct wr wr;

	wr_init(&wr, data, sizeof(data));
	wr_uint(&wr, value, bytes);
	buf_add(buf, data, wr.length);
}

static void put_list(struct buf *buf, const struct name_list *names)
{
	put(buf, names->is_denied, 1);
	put(buf, names->count, 4);
	for (size_t i = 0; i < names->count; i++) {
		const struct name_entry *entry = &names->entries[i];

		put(buf, entry->is_denied, 1);
		put(buf, entry->length, 2);
		buf_add(buf, entry->name, entry->length);
	}
}

void guard_encode(const struct guard *guard, struct buf *buf)
{
	put(buf, guard->count, 1);
	for (size_t i = 0; i < guard->count; i++) {
		const struct guard_policy *policy = &guard->policies[i];

		put(buf, policy->name_length, 1);
		buf_add(buf, policy->name, policy->name_length);
		for (unsigned topic = 0; topic < GUARD_TOPICS; topic++)
			put_list(buf, &policy->names[topic]);
	}
}

/* --- reading ----------------------------------------------------------------------------- */

/* Of the bytes themselves; empty once the reader has failed. */
static const char *get_text(struct rd *rd, unsigned length_bytes, size_t most,
			    size_t *ret_length)
{
	size_t length = (size_t)rd_uint(rd, "name", length_bytes, 1, most);
	const char *text = (const char *)rd->data + rd->at;

	if (rd->bad_field == NULL &&
	    (length > rd->length - rd->at || memchr(text, '\0', length) != NULL ||
	     !utf8_is_valid(text, length)))
		rd->bad_field = "name";
	*ret_length = rd->bad_field == NULL ? length : 0;
	rd->at += *ret_length;
	return text;
}

/* Entries go to `entries`, which has room for `room`. */
static void get_list(struct rd *rd, struct name_list *names, struct name_entry *entries,
		     size_t room)
{
	size_t count;

	names->is_denied = rd_uint(rd, "default", 1, 0, 1) != 0;
	count = (size_t)rd_uint(rd, "entries", 4, 0, room);
	names->entries = entries;
	names->count = count;
	for (size_t i = 0; i < count && rd->bad_field == NULL; i++) {
		struct name_entry *entry = &entries[i];

		entry->is_denied = rd_uint(rd, "denied", 1, 0, 1) != 0;
		entry->name = get_text(rd, 2, LIMIT_GUARD_NAME_BYTES, &entry->length);
		if (rd->bad_field == NULL && i > 0 &&
		    name_list_compare(&entries[i - 1], entry) >= 0)
			rd->bad_field = "order";
	}
}

static void get_policies(struct rd *rd, struct guard *guard, size_t room)
{
	struct name_entry *next = guard->entries;

	guard->count = (size_t)rd_uint(rd, "policies", 1, 1, LIMIT_GUARD_POLICIES);
	for (size_t i = 0; i < guard->count && rd->bad_field == NULL; i++) {
		struct guard_policy *policy = &guard->policies[i];

		policy->name = get_text(rd, 1, LIMIT_NAME_BYTES, &policy->name_length);
		for (unsigned topic = 0; topic < GUARD_TOPICS && rd->bad_field == NULL;
		     topic++) {
			get_list(rd, &policy->names[topic], next, room);
			next += policy->names[topic].count;
			room -= policy->names[topic].count;
		}
	}
}

int guard_decode(const void *data, size_t length, struct guard *ret, struct err *err)
{
	/* Each entry takes its header and a byte, which bounds how many there are. */
	size_t room = length / (ENTRY_HEADER_BYTES + 1);
	struct guard guard = {.count = 0};
	struct rd rd;
	int status;

	if (length > LIMIT_GUARD_BYTES)
		return err_set(err, EBADMSG, "the lists have %zu bytes", length);
	/* Not cleared: what is not used of it is not touched. */
	guard.entries = malloc((room + 1) * sizeof(*guard.entries));
	if (guard.entries == NULL)
		return err_errno(err, ENOMEM, "the policy's lists");
	rd_init(&rd, data, length);
	get_policies(&rd, &guard, room);
	status = rd_done(&rd, "lists of a policy", err);
	if (status < 0)
		guard_done(&guard);
	else
		*ret = guard;
	return status;
}

void guard_done(struct guard *guard)
{
	free(guard->entries);
	*guard = (struct guard){.count = 0};
}

/* --- asking ------------------------------------------------------------------------------ */

bool guard_denies(const struct guard *guard, enum guard_topic topic, const char *name,
		  size_t length, struct guard_denial *ret)
{
	for (size_t i = 0; i < guard->count; i++) {
		const struct name_list *names = &guard->policies[i].names[topic];
		const struct name_entry *entry = name_list_find(names, name, length);

		if (entry != NULL ? !entry->is_denied : !names->is_denied)
			continue;
		*ret = (struct guard_denial){.policy = &guard->policies[i], .entry = entry};
		return true;
	}
	return false;
}
