/*
 * server/gate/deadline.h - total time limits of connections, thousands at once.
 *
 * All deadlines of one kind have the same delay, so each kind is a queue that is sorted by
 * itself: starting and stopping one costs a few pointers, whatever the number of connections.
 */
#ifndef SERVER_GATE_DEADLINE_H
#define SERVER_GATE_DEADLINE_H

#include "base/loop.h"

enum deadline_kind {
	DEADLINE_IDLE,	  /* between requests */
	DEADLINE_HEAD,	  /* the whole head */
	DEADLINE_BODY,	  /* the whole body */
	DEADLINE_ASK,	  /* the ledger looks something up */
	DEADLINE_EXECUTE, /* the ledger has an execution run */
	DEADLINE_ANSWER,  /* the caller takes a piece of the answer */
	DEADLINE_LINGER,  /* the caller closes after our end is closed */
	DEADLINE_KINDS
};

/* Embedded in its owner; zero-initialise. */
struct deadline {
	struct deadline *next;
	struct deadline *previous;
	uint64_t due_us;
	enum deadline_kind kind;
	bool is_armed;
};

struct deadline_queue {
	struct deadline *first;
	struct deadline *last;
	struct timer timer;
	uint64_t delay_us;
};

struct deadlines {
	struct loop *loop;
	struct deadline_queue queues[DEADLINE_KINDS];
	void (*passed)(void *owner, struct deadline *deadline); /* disarmed already */
	void *owner;
};

void deadlines_init(struct deadlines *deadlines, struct loop *loop);

/* Applies to deadlines started from now on. */
void deadlines_set(struct deadlines *deadlines, enum deadline_kind kind, uint64_t delay_ms);

/* Starts `deadline` as one of `kind`, instead of whatever it was. */
void deadline_start(struct deadlines *deadlines, struct deadline *deadline,
		    enum deadline_kind kind);
void deadline_stop(struct deadlines *deadlines, struct deadline *deadline);

#endif
