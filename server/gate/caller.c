#include "server/gate/caller.h"

#include <stdbool.h>
#include <string.h>

/* FNV-1a. Identities come from certificates that our CA has signed: nobody floods a bucket. */
static size_t bucket_of(const struct front_connection *who)
{
	uint64_t hash = 0xCBF29CE484222325ull ^ who->identity_kind;

	for (const char *at = who->identity; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 0x100000001B3ull;
	return (size_t)(hash % CALLER_BUCKETS);
}

static bool is_of(const struct caller *caller, const struct front_connection *who)
{
	return caller->identity_kind == who->identity_kind &&
	       strcmp(caller->identity, who->identity) == 0;
}

struct caller *caller_join(struct callers *callers, const struct front_connection *who)
{
	size_t bucket = bucket_of(who);
	struct caller *caller = callers->buckets[bucket];

	while (caller != NULL && !is_of(caller, who))
		caller = caller->next;
	if (caller == NULL) {
		caller = calloc(1, sizeof(*caller));
		if (caller == NULL)
			return NULL;
		caller->identity_kind = who->identity_kind;
		memcpy(caller->identity, who->identity, sizeof(caller->identity));
		caller->bucket = bucket;
		caller->next = callers->buckets[bucket];
		callers->buckets[bucket] = caller;
	}
	caller->connections++;
	return caller;
}

void caller_leave(struct callers *callers, struct caller *caller)
{
	struct caller **link;

	if (caller == NULL || --caller->connections > 0)
		return;
	link = &callers->buckets[caller->bucket];
	while (*link != caller)
		link = &(*link)->next;
	*link = caller->next;
	free(caller);
}

static uint64_t bodies_max(uint64_t body_bytes_max)
{
	uint64_t bytes = body_bytes_max * CALLER_BODIES_WHOLE;

	return bytes > CALLER_BODIES_BYTES_MIN ? bytes : CALLER_BODIES_BYTES_MIN;
}

enum caller_verdict caller_hold_body(struct callers *callers, struct caller *caller,
				     uint64_t bytes, uint64_t body_bytes_max)
{
	uint64_t most = bodies_max(body_bytes_max);

	if (caller->bodies_bytes + bytes > most / CALLER_SHARE)
		return CALLER_ABOVE_SHARE;
	if (callers->bodies_bytes + bytes > most)
		return CALLER_NO_ROOM;
	caller->bodies_bytes += bytes;
	callers->bodies_bytes += bytes;
	return CALLER_GOOD;
}

void caller_drop_body(struct callers *callers, struct caller *caller, uint64_t bytes)
{
	if (bytes == 0)
		return;
	caller->bodies_bytes -= bytes;
	callers->bodies_bytes -= bytes;
}

_Static_assert(CALLER_ANSWERS_BYTES / CALLER_SHARE >= LIMIT_FRAGMENT_BYTES,
	       "the largest answer fits a share");

enum caller_verdict caller_hold_answer(struct callers *callers, struct caller *caller,
				       uint64_t bytes)
{
	if (caller->answers_bytes + bytes > CALLER_ANSWERS_BYTES / CALLER_SHARE)
		return CALLER_ABOVE_SHARE;
	if (callers->answers_bytes + bytes > CALLER_ANSWERS_BYTES)
		return CALLER_NO_ROOM;
	caller->answers_bytes += bytes;
	callers->answers_bytes += bytes;
	return CALLER_GOOD;
}

void caller_drop_answer(struct callers *callers, struct caller *caller, uint64_t bytes)
{
	if (bytes == 0)
		return;
	caller->answers_bytes -= bytes;
	callers->answers_bytes -= bytes;
}
