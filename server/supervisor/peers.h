/*
 * server/supervisor/peers.h - who speaks with whom.
 *
 * The supervisor makes each channel and gives one end to each side. When one side is not
 * running its end is held here and given to it at its start, so a process always has all its
 * channels before its COMMIT, in whatever order processes die.
 */
#ifndef SERVER_SUPERVISOR_PEERS_H
#define SERVER_SUPERVISOR_PEERS_H

#include "server/supervisor/child.h"

#define PEERS_VALIDATORS_MAX 64 /* as in config.schema.json */
#define PEERS_LINKS_MAX	     (3 + PEERS_VALIDATORS_MAX)

struct link {
	struct child *ends[2];
	int held[2];	 /* owned; the end its process has not been given yet, or -1 */
	uint64_t number; /* of its channel, the id of both PEER messages; 0: none */
	struct timer lost;
};

struct peers {
	struct link links[PEERS_LINKS_MAX];
	size_t count;
	uint64_t last_number;
};

/* Builds the links between these children. */
void peers_init(struct peers *peers, struct child *children, size_t count);

/* Gives a process that just started its ends, and its running neighbours theirs. */
nodiscard int peers_introduce(struct peers *peers, struct child *child, struct err *err);

/* The process is dead: what it was held for is of no use any more. */
void peers_forget(struct peers *peers, const struct child *child);

/* `child` says that channel `number` has ended. If both processes live on, they are restarted.
 */
void peers_lost(struct peers *peers, const struct child *child, uint64_t number);

#endif
