#include "server/ledger/peers.h"

#include <fcntl.h>

#include "base/log.h"
#include "schema/wire/setup.h"
#include "server/ledger/ledger.h"

void peer_put(struct peer *peer, uint16_t type, uint64_t id, const struct wr *wr,
	      const int *fds, unsigned fd_count)
{
	struct err err = {0};

	if (!peer->is_up || peer->has_failed)
		return; /* its loss ends whatever waits for the answer */
	if (wr->has_failed)
		abort(); /* a message larger than its buffer: a bug */
	if (chan_send(&peer->chan, type, id, wr->data, wr->length, fds, fd_count, &err) < 0) {
		log_event(LOG_WARN, "peer_unreachable", LOG_STR("peer", peer->name),
			  LOG_STR("reason", err.text));
		peer->has_failed = true;
	}
}

static void peer_lose(struct peer *peer)
{
	chan_close(&peer->chan);
	peer->is_up = false;
	peer->has_failed = false;
	setup_say_lost(peer->ledger, peer->link);
	peer->lost(peer);
}

static void chan_lost(struct chan *chan, const struct err *why)
{
	struct peer *peer = chan->owner;

	log_event(LOG_WARN, "peer_lost", LOG_STR("peer", peer->name),
		  LOG_STR("reason", why->text));
	peer_lose(peer);
}

void peer_refuse(struct peer *peer, const struct msg *msg, const struct err *why)
{
	log_event(LOG_ERROR, "peer_dropped", LOG_STR("peer", peer->name),
		  LOG_INT("message", msg->type), LOG_STR("reason", why->text));
	peer->ledger->metrics.peers_dropped++;
	peer_lose(peer);
}

void peer_init(struct peer *peer, struct ledger *ledger, const char *name,
	       void (*serve)(struct chan *chan, struct msg *msg),
	       void (*lost)(struct peer *peer))
{
	*peer = (struct peer){.ledger = ledger, .name = name, .lost = lost};
	peer->chan.fd = -1;
	peer->chan.serve = serve;
	peer->chan.lost = chan_lost;
	peer->chan.owner = peer;
}

static struct peer *peer_place(struct ledger *ledger, uint8_t role)
{
	if (role == SETUP_ROLE_GATE)
		return &ledger->gate.peer;
	if (role == SETUP_ROLE_WARDEN)
		return &ledger->warden.peer;
	if (role != SETUP_ROLE_VALIDATOR)
		return NULL;
	for (size_t i = 0; i < VALIDATOR_PLACES; i++)
		if (!ledger->validators[i].peer.is_up)
			return &ledger->validators[i].peer;
	return NULL;
}

static void peer_came(struct ledger *ledger, uint8_t role, struct peer *peer)
{
	if (role == SETUP_ROLE_GATE)
		gate_tell_all(ledger);
	else if (role == SETUP_ROLE_WARDEN)
		warden_came(ledger);
	else
		validator_came((struct validator *)(void *)peer);
}

int peers_open(struct ledger *ledger, uint8_t role, uint64_t link, int take_fd, struct err *err)
{
	own_fd fd = take_fd;
	struct peer *peer = peer_place(ledger, role);
	int flags;
	int status;

	if (peer == NULL && role != SETUP_ROLE_VALIDATOR)
		return err_set(err, EINVAL,
			       "the ledger has no place for a neighbour of role %u", role);
	/* The supervisor starts it anew, and by then there is a place. */
	if (peer == NULL) {
		setup_say_lost(ledger, link);
		return 0;
	}
	if (peer->is_up)
		peer_lose(peer);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return err_errno(err, errno, "make a channel non-blocking");
	status = chan_open(&peer->chan, &ledger->loop, fd_take(&fd), err);
	if (status < 0)
		return status;
	peer->is_up = true;
	peer->link = link;
	peer_came(ledger, role, peer);
	return 0;
}

void peers_lose_failed(struct ledger *ledger)
{
	if (ledger->gate.peer.has_failed)
		peer_lose(&ledger->gate.peer);
	if (ledger->warden.peer.has_failed)
		peer_lose(&ledger->warden.peer);
	for (size_t i = 0; i < VALIDATOR_PLACES; i++)
		if (ledger->validators[i].peer.has_failed)
			peer_lose(&ledger->validators[i].peer);
}

void peers_close(struct ledger *ledger)
{
	chan_close(&ledger->gate.peer.chan);
	chan_close(&ledger->warden.peer.chan);
	for (size_t i = 0; i < VALIDATOR_PLACES; i++)
		chan_close(&ledger->validators[i].peer.chan);
}
