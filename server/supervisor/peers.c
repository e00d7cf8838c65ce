#include "server/supervisor/peers.h"

#include "base/log.h"
#include "server/supervisor/supervisor.h"

/* A dying process closes its channels some milliseconds before it is reaped. What is still
 * there after this has lost its neighbour without dying. */
#define LOST_US (200ull * 1000)

/* The whole table. A role that has several processes has a link to each. */
static const struct {
	enum setup_role a, b;
} pairs[] = {
	{SETUP_ROLE_FRONT, SETUP_ROLE_GATE},
	{SETUP_ROLE_GATE, SETUP_ROLE_LEDGER},
	{SETUP_ROLE_LEDGER, SETUP_ROLE_VALIDATOR},
	{SETUP_ROLE_LEDGER, SETUP_ROLE_WARDEN},
};

static int are_peers(enum setup_role a, enum setup_role b)
{
	for (size_t i = 0; i < ARRAY_COUNT(pairs); i++)
		if (pairs[i].a == a && pairs[i].b == b)
			return 1;
	return 0;
}

/* Nobody else would ever connect the two again, and which of them is to blame, and whether it
 * is an attacker's by now, cannot be known: both start anew, but the ledger, which every
 * execution needs and which no neighbour may be able to end. */
static void lost_fire(struct loop *loop, struct timer *timer)
{
	struct link *link = timer->owner;

	(void)loop;
	if (!child_is_up(link->ends[0]) || !child_is_up(link->ends[1]) ||
	    link->ends[0]->supervisor->phase != PHASE_SERVING)
		return;
	log_event(LOG_ERROR, "peers_lost_one_another", LOG_STR("a", link->ends[0]->name),
		  LOG_STR("b", link->ends[1]->name));
	for (int side = 0; side < 2; side++)
		if (link->ends[side]->role != SETUP_ROLE_LEDGER)
			child_event(link->ends[side], CHILD_KILL);
}

void peers_init(struct peers *peers, struct child *children, size_t count)
{
	peers->count = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			if (are_peers(children[i].role, children[j].role) &&
			    peers->count < PEERS_LINKS_MAX)
				peers->links[peers->count++] = (struct link){
					.ends = {&children[i], &children[j]},
					.held = {-1, -1},
					.lost = {.fire = lost_fire},
				};
	for (size_t i = 0; i < peers->count; i++)
		peers->links[i].lost.owner = &peers->links[i];
}

static void give(struct child *to, const struct child *other, uint64_t number, int take_fd)
{
	struct setup_peer peer = {.role = (uint8_t)other->role};
	uint8_t body[16];
	own_fd fd = take_fd;
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	setup_peer_encode(&wr, &peer);
	child_send_numbered(to, SETUP_PEER, number, &wr, &fd, 1);
}

static int introduce(struct peers *peers, struct link *link, int side, struct err *err)
{
	struct child *self = link->ends[side];
	struct child *other = link->ends[1 - side];
	int pair[2];
	int status;

	if (link->held[side] >= 0) {
		give(self, other, link->number, fd_take(&link->held[side]));
		return 0;
	}
	status = chan_pair(pair, err);
	if (status < 0)
		return status;
	link->number = ++peers->last_number;
	loop_timer_stop(&self->supervisor->loop, &link->lost);
	give(self, other, link->number, pair[0]);
	if (child_is_up(other))
		give(other, self, link->number, pair[1]);
	else
		link->held[1 - side] = pair[1];
	return 0;
}

int peers_introduce(struct peers *peers, struct child *child, struct err *err)
{
	int status = 0;

	for (size_t i = 0; i < peers->count && status == 0; i++)
		for (int side = 0; side < 2 && status == 0; side++)
			if (peers->links[i].ends[side] == child)
				status = introduce(peers, &peers->links[i], side, err);
	return status;
}

void peers_forget(struct peers *peers, const struct child *child)
{
	for (size_t i = 0; i < peers->count; i++) {
		struct link *link = &peers->links[i];

		if (link->ends[0] != child && link->ends[1] != child)
			continue;
		fd_drop(&link->held[0]);
		fd_drop(&link->held[1]);
		link->number = 0;
		loop_timer_stop(&child->supervisor->loop, &link->lost);
	}
}

void peers_lost(struct peers *peers, const struct child *child, uint64_t number)
{
	for (size_t i = 0; i < peers->count; i++) {
		struct link *link = &peers->links[i];

		/* The number of a channel that has been replaced meanwhile is nobody's. */
		if (number == 0 || link->number != number ||
		    (link->ends[0] != child && link->ends[1] != child))
			continue;
		if (!link->lost.is_armed)
			loop_timer_start(&child->supervisor->loop, &link->lost, LOST_US);
	}
}
