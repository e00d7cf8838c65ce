#include "server/front/refusals.h"

#include <stdio.h>
#include <string.h>

static struct refusal_entry *find(struct refusals *refusals, uint8_t refusal,
				  const char *address, const char *subject)
{
	for (size_t i = 0; i < refusals->count; i++) {
		struct refusal_entry *entry = &refusals->entries[i];

		if (entry->message.refusal == refusal &&
		    strncmp(entry->message.peer, address, LIMIT_PEER_BYTES) == 0 &&
		    strncmp(entry->message.subject, subject, LIMIT_IDENTITY_BYTES) == 0)
			return entry;
	}
	return NULL;
}

static void count_one(struct refusal_entry *entry)
{
	if (entry->message.count < UINT32_MAX)
		entry->message.count++;
}

void refusals_add(struct refusals *refusals, uint8_t refusal, const char *address,
		  const char *subject, const char *detail)
{
	struct refusal_entry *entry = find(refusals, refusal, address, subject);

	if (entry == NULL && refusals->distinct >= REFUSALS_MAX) {
		address = "";
		subject = "";
		entry = find(refusals, refusal, address, subject);
	}
	if (entry != NULL) {
		count_one(entry);
		return;
	}
	/* Room is certain: REFUSALS_MAX distinct ones and one overflow entry for each reason.
	 */
	if (refusals->distinct < REFUSALS_MAX)
		refusals->distinct++;
	entry = &refusals->entries[refusals->count++];
	*entry = (struct refusal_entry){.message = {.refusal = refusal, .count = 1},
					.detail = detail};
	(void)snprintf(entry->message.peer, sizeof(entry->message.peer), "%s", address);
	(void)snprintf(entry->message.subject, sizeof(entry->message.subject), "%s", subject);
}

void refusals_clear(struct refusals *refusals)
{
	refusals->count = 0;
	refusals->distinct = 0;
}
