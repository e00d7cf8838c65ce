/*
 * server/ledger/peers.h - the three kinds of neighbours, one channel each.
 *
 * A channel that fails is noticed while something is being sent, deep inside somebody else's
 * work; so it is only marked there, and its loss is acted upon at the end of the round.
 */
#ifndef SERVER_LEDGER_PEERS_H
#define SERVER_LEDGER_PEERS_H

#include "base/chan.h"
#include "schema/wire/ledger_warden.h"

struct ledger;
struct execution;
struct refusal;

struct peer {
	struct chan chan;
	struct ledger *ledger;
	const char *name;
	uint64_t link; /* the supervisor's number of the channel */
	bool is_up;
	bool has_failed; /* to be lost at the end of the round */
	void (*lost)(struct peer *peer);
};

/* A message whose struct has an encoder; the body is built on the stack. */
#define peer_send(peer, type, id, encode, message, fds, fd_count)        \
	do {                                                             \
		uint8_t body_[8192];                                     \
		struct wr wr_;                                           \
                                                                         \
		wr_init(&wr_, body_, sizeof(body_));                     \
		encode(&wr_, (message));                                 \
		peer_put((peer), (type), (id), &wr_, (fds), (fd_count)); \
	} while (0)

void peer_put(struct peer *peer, uint16_t type, uint64_t id, const struct wr *wr,
	      const int *fds, unsigned fd_count);

void peer_init(struct peer *peer, struct ledger *ledger, const char *name,
	       void (*serve)(struct chan *chan, struct msg *msg),
	       void (*lost)(struct peer *peer));
/* The message broke the protocol: its sender is dropped. */
void peer_refuse(struct peer *peer, const struct msg *msg, const struct err *why);

/* Acts on the channels that failed in this round. */
void peers_lose_failed(struct ledger *ledger);
void peers_close(struct ledger *ledger);

/* A new neighbour of `role`; takes `take_fd`. An older one in its place is lost first. */
nodiscard int peers_open(struct ledger *ledger, uint8_t role, uint64_t link, int take_fd,
			 struct err *err);

/* --- gate -------------------------------------------------------------------------------- */

struct gate {
	struct peer peer;
	bool has_state; /* `told` was sent on this channel */
	struct tell_state told;
};

void gate_init(struct ledger *ledger);
void gate_tell_all(struct ledger *ledger);
/* Tells the state if it has changed. */
void gate_tell_state(struct ledger *ledger);
/* `faults_fd`: -1 or a JSON array of faults. */
void gate_refuse(struct ledger *ledger, uint64_t ask_id, const struct refusal *refusal,
		 int faults_fd);
void gate_answer(struct ledger *ledger, uint64_t ask_id, const struct answer_execution *answer,
		 int members_fd);
void gate_answer_validation(struct ledger *ledger, uint64_t ask_id, int members_fd);
/* Puts on record that somebody asked for what he may not have. */
void gate_note_refused(struct ledger *ledger, const char *tenant, const char *identity,
		       const struct refusal *refusal);

/* --- validators -------------------------------------------------------------------------- */

#define VALIDATORS_MAX 64 /* processes; a multiple of the cores of a large machine */
/* A new one may be introduced before the end of the old one has been noticed. */
#define VALIDATOR_PLACES (2 * VALIDATORS_MAX)

/* A check past its deadline and then so long without any answer, ms: it hangs. */
#define VALIDATOR_SILENT_MS 3000

/* Checks that one has at a time: one under way, and one so that it need not wait for the next.
 * What is above that waits here, where whose turn it is can be decided (waiting.h). */
#define VALIDATOR_CHECKS_MAX 2

struct validator {
	struct peer peer;     /* first: a peer's address is its validator's */
	uint32_t outstanding; /* checks it has not answered */
	bool is_late;	      /* one has passed its deadline, and nothing came since */
	uint64_t late_us;     /* monotonic: since when */
};

void validators_init(struct ledger *ledger);
void validator_is_late(struct validator *validator);
/* Gives up those that stay silent; once a second. */
void validators_tick(struct ledger *ledger);
void validator_came(struct validator *validator);
/* The one with the least to do; NULL when none that still answers has room. */
struct validator *validators_pick(struct ledger *ledger);
bool validators_are_there(const struct ledger *ledger);

/* --- warden ------------------------------------------------------------------------------ */

#define RUNTIMES_MAX 64 /* the configuration allows half of it */
/* Milliseconds after which a runtime that a new warden has not named is taken for removed. */
#define RUNTIME_FORGET_MS 60000

struct runtime {
	struct warden_runtime told;
	struct warden_pool pool;
	bool is_announced;		     /* by the warden that is there now */
	uint64_t executions[STATUS_MAX + 1]; /* finished, by status, for the metrics */
};

struct warden {
	struct peer peer;
	struct runtime runtimes[RUNTIMES_MAX];
	size_t runtime_count;
	bool has_capabilities;
	struct warden_capabilities capabilities;
	uint64_t up_us; /* monotonic */
};

void warden_init(struct ledger *ledger);
void warden_came(struct ledger *ledger);
struct runtime *warden_runtime_find(struct warden *warden, const char *name);
/* True while it may still come: known from before, or nothing is known yet. */
bool warden_runtime_may_come(const struct warden *warden, const struct runtime *runtime);
bool warden_has_worker(const struct warden *warden);
void warden_start(struct execution *e);
void warden_cancel(struct execution *e);

#endif
