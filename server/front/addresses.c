#include "server/front/addresses.h"

#include <netinet/in.h>
#include <string.h>

#define KEY_BYTES 16

struct address {
	struct address *next; /* in its bucket */
	uint8_t key[KEY_BYTES];
	size_t bucket;
	uint32_t count;
	struct address_link *oldest;
	struct address_link *newest;
};

void addresses_init(struct addresses *addresses, const uint8_t salt[16])
{
	*addresses = (struct addresses){0};
	memcpy(addresses->salt, salt, sizeof(addresses->salt));
}

/* Unix sockets and whatever else has no address share the zero key. */
static void key_of(const struct sockaddr_storage *from, uint8_t ret[KEY_BYTES])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

	memset(ret, 0, KEY_BYTES);
	if (from->ss_family == AF_INET) {
		ret[10] = ret[11] = 0xFF; /* the mapped form, so that both listeners agree */
		memcpy(ret + 12, &v4->sin_addr, 4);
	} else if (from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memcpy(ret, &v6->sin6_addr, KEY_BYTES);
	} else if (from->ss_family == AF_INET6) {
		memcpy(ret, &v6->sin6_addr, 8);
	}
}

/* Two rounds of multiply and fold over key and salt: enough where the salt is unknown and a
 * collision costs only a longer chain. */
static size_t bucket_of(const struct addresses *addresses, const uint8_t key[KEY_BYTES])
{
	uint64_t hash = 0;

	for (int half = 0; half < 2; half++) {
		uint64_t word;
		uint64_t salt;

		memcpy(&word, key + 8 * half, 8);
		memcpy(&salt, addresses->salt + 8 * half, 8);
		hash = (hash ^ word ^ salt) * (salt | 1);
		hash ^= hash >> 29;
	}
	return (size_t)(hash * 0x9E3779B97F4A7C15ull >> 54);
}

_Static_assert(ADDRESSES_BUCKETS == 1u << 10, "bucket_of() keeps 10 bits");

static struct address *find_or_make(struct addresses *addresses, const uint8_t key[KEY_BYTES])
{
	size_t bucket = bucket_of(addresses, key);
	struct address *address = addresses->buckets[bucket];

	while (address != NULL && memcmp(address->key, key, KEY_BYTES) != 0)
		address = address->next;
	if (address != NULL)
		return address;
	address = calloc(1, sizeof(*address));
	if (address == NULL)
		return NULL;
	memcpy(address->key, key, KEY_BYTES);
	address->bucket = bucket;
	address->next = addresses->buckets[bucket];
	addresses->buckets[bucket] = address;
	return address;
}

int addresses_add(struct addresses *addresses, struct address_link *link,
		  const struct sockaddr_storage *from, uint32_t *ret_count)
{
	uint8_t key[KEY_BYTES];
	struct address *address;

	key_of(from, key);
	address = find_or_make(addresses, key);
	if (address == NULL)
		return -ENOMEM;
	link->address = address;
	link->next = NULL;
	link->previous = address->newest;
	if (address->newest != NULL)
		address->newest->next = link;
	else
		address->oldest = link;
	address->newest = link;
	*ret_count = ++address->count;
	return 0;
}

void addresses_remove(struct addresses *addresses, struct address_link *link)
{
	struct address *address = link->address;
	struct address **at;

	if (address == NULL)
		return;
	link->address = NULL;
	if (link->previous != NULL)
		link->previous->next = link->next;
	else
		address->oldest = link->next;
	if (link->next != NULL)
		link->next->previous = link->previous;
	else
		address->newest = link->previous;
	if (--address->count > 0)
		return;
	at = &addresses->buckets[address->bucket];
	while (*at != address)
		at = &(*at)->next;
	*at = address->next;
	free(address);
}

void *addresses_oldest(const struct address_link *link)
{
	return link->address->oldest->owner;
}
