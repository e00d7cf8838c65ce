#include "server/ledger/digest.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* Bytes hashed at once: about a millisecond, the time of one execution. */
#define PIECE_BYTES (1u << 20)

/* Looking an algorithm up costs more than hashing a record, so it is done once. */
static EVP_MD *sha256;
static EVP_MD_CTX *shared; /* for hashes that are done at once */

int digest_init(struct err *err)
{
	if (sha256 != NULL)
		return 0;
	/* Without the system's configuration file: it could load modules into this process. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return err_set(err, EIO, "libcrypto does not start");
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	shared = EVP_MD_CTX_new();
	if (sha256 == NULL || shared == NULL)
		return err_set(err, EIO, "libcrypto has no SHA-256");
	return 0;
}

/* SHA-256 over memory fails only when memory is exhausted or the library is broken; a record
 * without its hash must not be written, so there is no way on. */
static void must(int worked)
{
	if (worked != 1)
		abort();
}

void digest_parts(const struct span *parts, size_t count, uint8_t ret[DIGEST_BYTES])
{
	must(EVP_DigestInit_ex2(shared, sha256, NULL));
	for (size_t i = 0; i < count; i++)
		must(EVP_DigestUpdate(shared, parts[i].data, parts[i].length));
	must(EVP_DigestFinal_ex(shared, ret, NULL));
}

void digest_bytes(const void *data, size_t length, uint8_t ret[DIGEST_BYTES])
{
	const struct span span = {.data = data, .length = length};

	digest_parts(&span, 1, ret);
}

static void digest_end(struct digest *digest)
{
	EVP_MD_CTX_free(digest->context);
	digest->context = NULL;
}

static void queue_remove(struct digest_queue *queue, struct digest *digest)
{
	struct digest *before = NULL;

	for (struct digest *at = queue->first; at != NULL; before = at, at = at->next) {
		if (at != digest)
			continue;
		if (before != NULL)
			before->next = at->next;
		else
			queue->first = at->next;
		if (queue->last == at)
			queue->last = before;
		return;
	}
}

static void queue_add(struct digest_queue *queue, struct digest *digest)
{
	digest->next = NULL;
	if (queue->last != NULL)
		queue->last->next = digest;
	else
		queue->first = digest;
	queue->last = digest;
}

/* One piece of the first, which then goes to the end: all advance alike. */
static void queue_fire(struct loop *loop, struct timer *timer)
{
	struct digest_queue *queue = timer->owner;
	struct digest *digest = queue->first;
	size_t piece;

	if (digest == NULL)
		return;
	queue_remove(queue, digest);
	piece = digest->span.length - digest->at;
	if (piece > PIECE_BYTES)
		piece = PIECE_BYTES;
	must(EVP_DigestUpdate(digest->context, digest->span.data + digest->at, piece));
	digest->at += piece;
	if (digest->at < digest->span.length) {
		queue_add(queue, digest);
	} else {
		must(EVP_DigestFinal_ex(digest->context, digest->value, NULL));
		digest->is_known = true;
		digest_end(digest);
		digest->done(digest);
	}
	/* Not 0: a timer that is due at once would fire again before any descriptor is served.
	 */
	if (queue->first != NULL)
		loop_timer_start(loop, timer, 1000);
}

void digest_queue_init(struct digest_queue *queue, struct loop *loop)
{
	*queue = (struct digest_queue){.loop = loop};
	queue->timer = (struct timer){.fire = queue_fire, .owner = queue};
}

void digest_start(struct digest_queue *queue, struct digest *digest, const struct span *span)
{
	digest->span = *span;
	digest->at = 0;
	if (digest->span.length <= PIECE_BYTES) {
		digest_bytes(digest->span.data, digest->span.length, digest->value);
		digest->is_known = true;
		return;
	}
	digest->is_known = false;
	digest->context = EVP_MD_CTX_new();
	must(digest->context != NULL);
	must(EVP_DigestInit_ex2(digest->context, sha256, NULL));
	queue_add(queue, digest);
	if (!queue->timer.is_armed)
		loop_timer_start(queue->loop, &queue->timer, 0);
}

void digest_forget(struct digest_queue *queue, struct digest *digest)
{
	digest_stop(queue, digest);
	digest->is_known = false;
}

void digest_stop(struct digest_queue *queue, struct digest *digest)
{
	if (digest->context == NULL)
		return;
	queue_remove(queue, digest);
	digest_end(digest);
}
