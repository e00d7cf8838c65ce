#include "server/supervisor/peers.h"

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
				};
}

static void give(struct child *to, const struct child *other, int take_fd)
{
	struct setup_peer peer = {.role = (uint8_t)other->role};
	uint8_t body[16];
	own_fd fd = take_fd;
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	setup_peer_encode(&wr, &peer);
	child_send(to, SETUP_PEER, &wr, &fd, 1);
}

static int introduce(struct link *link, int side, struct err *err)
{
	struct child *self = link->ends[side];
	struct child *other = link->ends[1 - side];
	int pair[2];
	int status;

	if (link->held[side] >= 0) {
		give(self, other, fd_take(&link->held[side]));
		return 0;
	}
	status = chan_pair(pair, err);
	if (status < 0)
		return status;
	give(self, other, pair[0]);
	if (child_is_up(other))
		give(other, self, pair[1]);
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
				status = introduce(&peers->links[i], side, err);
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
	}
}
