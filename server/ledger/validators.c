/* The validators: who checks what, and what their verdicts mean. See peers.h and flow.h. */
#include "base/clock.h"
#include "base/log.h"
#include "server/ledger/flow.h"
#include "server/ledger/ledger.h"

struct validator *validators_pick(struct ledger *ledger)
{
	struct validator *best = NULL;

	for (size_t i = 0; i < VALIDATOR_PLACES; i++) {
		struct validator *validator = &ledger->validators[i];

		if (!validator->peer.is_up || validator->peer.has_failed ||
		    validator->is_late || validator->outstanding >= VALIDATOR_CHECKS_MAX)
			continue;
		if (best == NULL || validator->outstanding < best->outstanding)
			best = validator;
	}
	return best;
}

bool validators_are_there(const struct ledger *ledger)
{
	for (size_t i = 0; i < VALIDATOR_PLACES; i++)
		if (ledger->validators[i].peer.is_up && !ledger->validators[i].is_late)
			return true;
	return false;
}

/* The execution this validator was asked about; NULL when nobody waits for the answer. An id
 * that belongs to another validator's check is as late as an unknown one. */
static struct execution *asked_about(struct validator *validator, const struct msg *msg)
{
	struct execution *e = execution_by_number(&validator->peer.ledger->executions, msg->id);

	return e != NULL && e->validator == validator ? e : NULL;
}

static int serve_request_good(void *owner, struct msg *msg, struct err *err)
{
	struct request_good good;
	struct execution *e;
	int status = request_good_decode(msg->body, msg->length, &good, err);

	if (status < 0)
		return status;
	e = asked_about(owner, msg);
	return e == NULL ? 0
			 : flow_request_good(e, &good, msg_take_fd(msg, 0),
					     msg->fd_count > 1 ? msg_take_fd(msg, 1) : -1, err);
}

static int serve_request_bad(void *owner, struct msg *msg, struct err *err)
{
	struct request_bad bad;
	struct execution *e;
	int status = request_bad_decode(msg->body, msg->length, &bad, err);

	if (status < 0)
		return status;
	e = asked_about(owner, msg);
	return e == NULL ? 0 : flow_request_bad(e, &bad, msg_take_fd(msg, 0), err);
}

static int serve_outcome_file(void *owner, struct msg *msg, struct err *err)
{
	struct outcome_file file;
	struct execution *e;
	int status = outcome_file_decode(msg->body, msg->length, &file, err);

	if (status < 0)
		return status;
	e = asked_about(owner, msg);
	return e == NULL ? 0 : flow_outcome_file(e, &file, err);
}

static int serve_outcome_good(void *owner, struct msg *msg, struct err *err)
{
	struct outcome_good good;
	struct execution *e;
	int status = outcome_good_decode(msg->body, msg->length, &good, err);

	if (status < 0)
		return status;
	e = asked_about(owner, msg);
	return e == NULL ? 0 : flow_outcome_good(e, &good, msg_take_fd(msg, 0), err);
}

static int serve_code_good(void *owner, struct msg *msg, struct err *err)
{
	struct code_good good;
	struct execution *e;
	int status = code_good_decode(msg->body, msg->length, &good, err);

	if (status < 0)
		return status;
	e = asked_about(owner, msg);
	return e == NULL ? 0 : flow_code_good(e, &good, msg_take_fd(msg, 0), err);
}

enum { VALIDATOR_IDLE = 1, VALIDATOR_ASKED = 2 };

static const struct route routes[] = {
	{REQUEST_GOOD, VALIDATOR_ASKED, 1, 2, serve_request_good},
	{REQUEST_BAD, VALIDATOR_ASKED, 0, 1, serve_request_bad},
	{CODE_GOOD, VALIDATOR_ASKED, 1, 1, serve_code_good},
	{OUTCOME_GOOD, VALIDATOR_ASKED, 1, 1, serve_outcome_good},
	{OUTCOME_FILE, VALIDATOR_ASKED, 0, 0, serve_outcome_file},
};

static void serve(struct chan *chan, struct msg *msg)
{
	struct validator *validator = chan->owner;
	uint32_t state = validator->outstanding > 0 ? VALIDATOR_ASKED : VALIDATOR_IDLE;
	struct err err = {0};

	/* The check whose answer was malformed is still this validator's, and is lost with it.
	 */
	if (route_dispatch(routes, ARRAY_COUNT(routes), state, validator, msg, &err) < 0) {
		peer_refuse(&validator->peer, msg, &err);
		return;
	}
	if (msg->type != OUTCOME_FILE) /* the answer is still to come */
		validator->outstanding--;
	validator->is_late = false;
	flow_next_checks(validator->peer.ledger);
}

static void lost(struct peer *peer)
{
	struct validator *validator = (struct validator *)(void *)peer;
	struct execution *next;

	validator->outstanding = 0;
	validator->is_late = false;
	for (struct execution *e = peer->ledger->executions.first; e != NULL; e = next) {
		next = e->next;
		if (e->validator != validator)
			continue;
		e->validator = NULL;
		flow_event(e, FLOW_VALIDATOR_LOST);
	}
}

void validator_is_late(struct validator *validator)
{
	if (!validator->is_late)
		validator->late_us = clock_mono_us();
	validator->is_late = true;
}

/* One that is merely busy answers something meanwhile. One that hangs, perhaps in a request
 * made for it, never would: each would take one validator away for good, until none is left. */
void validators_tick(struct ledger *ledger)
{
	uint64_t now_us = clock_mono_us();

	for (size_t i = 0; i < VALIDATOR_PLACES; i++) {
		struct validator *validator = &ledger->validators[i];

		if (!validator->peer.is_up || !validator->is_late ||
		    now_us - validator->late_us < VALIDATOR_SILENT_MS * 1000ull)
			continue;
		log_event(LOG_ERROR, "validator_hangs",
			  LOG_INT("outstanding", validator->outstanding));
		validator->peer.has_failed = true; /* lost at the end of the round */
	}
}

void validator_came(struct validator *validator)
{
	validator->outstanding = 0;
	validator->is_late = false;
	flow_next_checks(validator->peer.ledger);
}

void validators_init(struct ledger *ledger)
{
	for (size_t i = 0; i < VALIDATOR_PLACES; i++)
		peer_init(&ledger->validators[i].peer, ledger, "validator", serve, lost);
}
