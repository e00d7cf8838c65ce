/*
 * server/ledger/digest.h - SHA-256, once over each payload.
 *
 * A payload may have a quarter of a gigabyte, which takes a tenth of a second to hash. So a
 * large one is hashed in pieces between rounds of the loop, while its execution is elsewhere
 * anyway; a small one, as nearly all are, at once.
 */
#ifndef SERVER_LEDGER_DIGEST_H
#define SERVER_LEDGER_DIGEST_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "base/loop.h"
#include "base/memfd.h"

#define DIGEST_BYTES 32

/* Fetches the algorithm; call before the process confines itself. */
nodiscard int digest_init(struct err *err);

/* All at once. `parts` are hashed one after another. */
void digest_parts(const struct span *parts, size_t count, uint8_t ret[DIGEST_BYTES]);
void digest_bytes(const void *data, size_t length, uint8_t ret[DIGEST_BYTES]);

/* One hash under way. Embedded in its owner, who keeps it alive until it is done or stopped. */
struct digest {
	struct digest *next;
	struct span span; /* borrowed: mapped by the owner until it is known or stopped */
	size_t at;
	EVP_MD_CTX *context; /* owned; NULL: nothing under way */
	bool is_known;	     /* `value` is the hash */
	uint8_t value[DIGEST_BYTES];
	void (*done)(struct digest *digest);
	void *owner;
};

/* The hashes under way, served a piece a round. */
struct digest_queue {
	struct loop *loop;
	struct timer timer;
	struct digest *first;
	struct digest *last;
};

void digest_queue_init(struct digest_queue *queue, struct loop *loop);

/* A small one is known on return, and `done` is not called. */
void digest_start(struct digest_queue *queue, struct digest *digest, const struct span *span);

/* Gives up a hash under way; legal at any time. */
void digest_stop(struct digest_queue *queue, struct digest *digest);

/* The same, and what is known already does not count any more. */
void digest_forget(struct digest_queue *queue, struct digest *digest);

#endif
