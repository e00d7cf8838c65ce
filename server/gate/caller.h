/*
 * server/gate/caller.h - what each caller makes the gate hold, and his share of it.
 *
 * Bodies that are still arriving and large answers that are not read yet lie in memory, and
 * only the caller decides for how long. All of them together are bounded, and so is each
 * caller's part, so that one certificate cannot take what all have. A caller is the identity
 * that the front vouches for, over all his connections.
 */
#ifndef SERVER_GATE_CALLER_H
#define SERVER_GATE_CALLER_H

#include <stdint.h>

#include "base/err.h"
#include "schema/wire/front_gate.h"

/* Bodies that have not arrived whole, all together: so many of the largest. The ledger, which
 * alone knows who may ask, sees a body only when it is whole. */
#define CALLER_BODIES_WHOLE	16
#define CALLER_BODIES_BYTES_MIN (64ull << 20) /* where the largest is small */

/* Answers above REPLY_COPY_MAX that are not sent yet, all together, bytes: four of the largest.
 */
#define CALLER_ANSWERS_BYTES (4 * LIMIT_FRAGMENT_BYTES)

/* One caller may have a quarter of either: four of the largest bodies, or the largest answer.
 */
#define CALLER_SHARE 4

#define CALLER_BUCKETS 1024

struct caller {
	struct caller *next;
	uint8_t identity_kind;
	char identity[LIMIT_IDENTITY_BYTES + 1];
	size_t bucket;
	uint32_t connections;
	uint64_t bodies_bytes;
	uint64_t answers_bytes;
};

struct callers {
	struct caller *buckets[CALLER_BUCKETS];
	uint64_t bodies_bytes;
	uint64_t answers_bytes;
};

/* The caller of one more connection; NULL without memory. */
struct caller *caller_join(struct callers *callers, const struct front_connection *who);
/* One connection less; NULL is legal. */
void caller_leave(struct callers *callers, struct caller *caller);

enum caller_verdict {
	CALLER_GOOD,
	CALLER_ABOVE_SHARE, /* his own part is used up */
	CALLER_NO_ROOM	    /* all callers together hold too much */
};

/* Counts `bytes` more of an arriving body, unless they are too many. */
enum caller_verdict caller_hold_body(struct callers *callers, struct caller *caller,
				     uint64_t bytes, uint64_t body_bytes_max);
void caller_drop_body(struct callers *callers, struct caller *caller, uint64_t bytes);

/* The same for a whole answer. One is always within the share of a caller who holds none. */
enum caller_verdict caller_hold_answer(struct callers *callers, struct caller *caller,
				       uint64_t bytes);
void caller_drop_answer(struct callers *callers, struct caller *caller, uint64_t bytes);

#endif
