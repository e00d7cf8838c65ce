#include "sandbox/runtimes/python/denials.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonw.h"

static struct denial {
	enum guard_topic topic;
	char name[DENIALS_NAME_BYTES + 1];
	struct guard_denial why;
	uint64_t count;
	uint64_t first_us; /* since the code began */
} list[LIMIT_DENIALS];
static size_t count;
static uint64_t dropped;
static uint64_t began_us;
/* Interpreters of one process may have locks of their own (3.12). Never waited for: a fork in
 * the wrong moment would leave it set for ever. */
static atomic_flag is_noting = ATOMIC_FLAG_INIT;

void denials_start(void)
{
	began_us = clock_mono_us();
}

void denials_cut(char *ret, const char *name, size_t length)
{
	if (length > DENIALS_NAME_BYTES) {
		length = DENIALS_NAME_BYTES;
		while (length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80)
			length--;
	}
	memcpy(ret, name, length);
	ret[length] = '\0';
}

static void count_one(uint64_t *number)
{
	if (*number < LIMIT_DENIAL_COUNT)
		(*number)++;
}

static void note(enum guard_topic topic, const char *shown, const struct guard_denial *denial)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].topic != topic || strcmp(list[i].name, shown) != 0)
			continue;
		count_one(&list[i].count);
		return;
	}
	if (count == LIMIT_DENIALS) {
		count_one(&dropped);
		return;
	}
	list[count] = (struct denial){.topic = topic,
				      .why = *denial,
				      .count = 1,
				      .first_us = clock_mono_us() - began_us};
	denials_cut(list[count++].name, shown, strlen(shown));
}

void denials_add(enum guard_topic topic, const char *name, size_t length,
		 const struct guard_denial *denial)
{
	char shown[DENIALS_NAME_BYTES + 1];

	denials_cut(shown, name, length);
	if (atomic_flag_test_and_set(&is_noting))
		return;
	note(topic, shown, denial);
	atomic_flag_clear(&is_noting);
}

static void write_one(struct jsonw *json, const struct denial *denial)
{
	char entry[DENIALS_NAME_BYTES + 1];

	jsonw_object_open(json);
	jsonw_key_str(json, "kind", denial->topic == GUARD_MODULES ? "module" : "function");
	jsonw_key_str(json, "name", denial->name);
	jsonw_key(json, "policy");
	jsonw_bytes(json, denial->why.policy->name, denial->why.policy->name_length);
	jsonw_key(json, "entry");
	if (denial->why.entry != NULL) {
		denials_cut(entry, denial->why.entry->name, denial->why.entry->length);
		jsonw_str(json, entry);
	} else {
		jsonw_null(json);
	}
	jsonw_key_u64(json, "count", denial->count);
	jsonw_key_u64(json, "first_us", denial->first_us);
	jsonw_object_close(json);
}

/* The members, with a comma before them. */
static void write_members(struct buf *buf)
{
	struct jsonw json;

	jsonw_init(&json, buf);
	buf_add_str(buf, ",\"denials\":");
	jsonw_array_open(&json);
	for (size_t i = 0; i < count; i++)
		write_one(&json, &list[i]);
	jsonw_array_close(&json);
	buf_printf(buf, ",\"denials_dropped\":%llu}", (unsigned long long)dropped);
}

void denials_report(struct job_end *end)
{
	static const char empty[] = "{\"error\":null,\"result\":null}";
	static struct buf buf;
	bool has_report = end->report_length > 0;
	const char *report = has_report ? end->report : empty;
	size_t length = has_report ? end->report_length : sizeof(empty) - 1;

	if (count == 0 || report[length - 1] != '}')
		return;
	buf_done(&buf);
	buf_init(&buf, LIMIT_REPORT_BYTES);
	buf_add(&buf, report, length - 1);
	write_members(&buf);
	/* A report that leaves no room is the job's own doing. */
	if (buf_check(&buf, NULL) < 0)
		return;
	end->report = buf.data;
	end->report_length = buf.length;
}
