/*
 * server/front/addresses.h - the handshakes in progress of each address, oldest first.
 *
 * A handshake costs a slot, two descriptors and some memory before anybody knows who it is.
 * Each address has a share of them; above it, its own oldest makes room, so a flood harms
 * nobody else, and those behind one reverse proxy, whose handshakes end within milliseconds,
 * still get in. Connections whose handshake is over are not counted. An IPv6 address counts as
 * its /64, which is what one customer of a provider has.
 */
#ifndef SERVER_FRONT_ADDRESSES_H
#define SERVER_FRONT_ADDRESSES_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

#define ADDRESSES_BUCKETS 1024 /* chains stay short at the default number of connections */

struct address;

/* Embedded in its owner; zero-initialise. */
struct address_link {
	struct address *address; /* NULL: not counted */
	struct address_link *next;
	struct address_link *previous;
	void *owner;
};

struct addresses {
	uint8_t salt[16]; /* so that nobody can choose addresses of one bucket */
	struct address *buckets[ADDRESSES_BUCKETS];
};

void addresses_init(struct addresses *addresses, const uint8_t salt[16]);

/* Counts `link` under its address; -ENOMEM. *ret_count: with this one. */
nodiscard int addresses_add(struct addresses *addresses, struct address_link *link,
			    const struct sockaddr_storage *from, uint32_t *ret_count);

/* Its handshake is over, one way or the other; legal when it is not counted. */
void addresses_remove(struct addresses *addresses, struct address_link *link);

/* The owner of the oldest handshake from the address of `link`. */
void *addresses_oldest(const struct address_link *link);

#endif
