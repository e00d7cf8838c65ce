/*
 * The gate's side of the set-up channel (schema/wire/setup.h). Until COMMIT it reads nothing
 * from the front or the ledger; COMMIT confines the process first, for good.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/confine.h"
#include "base/log.h"
#include "server/gate/conn.h"
#include "server/gate/ledger.h"

enum { SETUP_NEW = 1, SETUP_GREETED = 2, SETUP_SERVING = 4 };

/* Per connection: the caller's stream, both ends of the engine's, body, answer. And the rest.
 */
#define FDS_PER_CONNECTION 5
#define FDS_OTHER	   (FDS_PER_CONNECTION * GATE_OPERATIONS_MAX + 64)

static int serve_hello(void *owner, struct msg *msg, struct err *err)
{
	struct gate *gate = owner;

	if (setup_hello_decode(msg->body, msg->length, &gate->hello, err) < 0)
		return -EPROTO;
	if (strcmp(gate->hello.build_id, CASEMATE_VERSION) != 0)
		return err_set(err, EPROTO, "the supervisor is version %s, this is %s",
			       gate->hello.build_id, CASEMATE_VERSION);
	gate->has_hello = true;
	log_init("gate", (enum log_level)gate->hello.log_level);
	return 0;
}

static int serve_config(void *owner, struct msg *msg, struct err *err)
{
	struct gate *gate = owner;
	struct setup_gate_config config;
	struct span openapi;
	int flags = fcntl(msg->fds[0], F_GETFL);

	if (setup_gate_config_decode(msg->body, msg->length, &config, err) < 0 ||
	    memfd_map(msg->fds[1], GATE_OPENAPI_MAX, &openapi, err) < 0)
		return -EPROTO;
	span_done(&gate->next_openapi);
	gate->next_openapi = openapi;
	if (flags < 0 || fcntl(msg->fds[0], F_SETFL, flags | O_NONBLOCK) != 0)
		return err_errno(err, errno, "operations listener");
	fd_drop(&gate->next_operations_fd);
	gate->next_operations_fd = msg_take_fd(msg, 0);
	gate->next_config = config;
	gate->has_next_config = true;
	return 0;
}

/* After the first COMMIT a neighbour is one that was restarted, and is spoken to at once. */
static int serve_peer(void *owner, struct msg *msg, struct err *err)
{
	struct gate *gate = owner;
	struct setup_peer peer;
	int *next;

	if (setup_peer_decode(msg->body, msg->length, &peer, err) < 0)
		return -EPROTO;
	if (peer.role != SETUP_ROLE_FRONT && peer.role != SETUP_ROLE_LEDGER)
		return err_set(err, EPROTO, "role %u is no neighbour of the gate", peer.role);
	if (gate->is_committed && peer.role == SETUP_ROLE_FRONT)
		return front_open(gate, msg->id, msg_take_fd(msg, 0), err);
	if (gate->is_committed)
		return ledger_open(gate, msg_take_fd(msg, 0), err);
	next = peer.role == SETUP_ROLE_FRONT ? &gate->next_front_fd : &gate->next_ledger_fd;
	if (peer.role == SETUP_ROLE_FRONT)
		gate->next_front_link = msg->id;
	fd_drop(next);
	*next = msg_take_fd(msg, 0);
	return 0;
}

static int check_descriptors(const struct gate *gate, struct err *err)
{
	uint64_t needed =
		(uint64_t)gate->next_config.connections_max * FDS_PER_CONNECTION + FDS_OTHER;

	if (gate->descriptors_max < needed)
		return err_set(
			err, EMFILE,
			"%u connections need %llu descriptors and the limit is %llu: raise "
			"LimitNOFILE or lower http.connections_max",
			gate->next_config.connections_max, (unsigned long long)needed,
			(unsigned long long)gate->descriptors_max);
	return 0;
}

/* Running out of descriptors would show as refused callers; better to say it at the start. */
static int raise_descriptors(struct gate *gate, struct err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_errno(err, errno, "read the limit of open descriptors");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_errno(err, errno, "raise the limit of open descriptors");
	gate->descriptors_max = limit.rlim_max;
	return check_descriptors(gate, err);
}

/* Order: the limits and the time zone need what is dropped next; seccomp closes the door. */
static int confine(struct gate *gate, unsigned *ret_abi, struct err *err)
{
	static const struct confine_syscall allowed[] = {
#define ALLOW(name, why) CONFINE_ALLOW(name, why)
#include "base/common.seccomp.def"
#include "server/gate/gate.seccomp.def"
#undef ALLOW
	};
	int status = raise_descriptors(gate, err);

	tzset(); /* gmtime_r() would look for the time zone file later */
	if (status == 0)
		status = confine_uid(gate->hello.host_uid, err);
	if (status == 0)
		status = confine_privileges(err);
	if (status == 0)
		status = confine_landlock(gate->hello.landlock_abi_min, NULL, 0, ret_abi, err);
	if (status == 0)
		status = confine_seccomp(allowed, ARRAY_COUNT(allowed), err);
	return status == 0 ? confine_prove(0, err) : status;
}

static int apply_config(struct gate *gate, struct err *err)
{
	struct deadlines *deadlines = &gate->deadlines;
	int status = operations_open(gate, fd_take(&gate->next_operations_fd), err);

	if (status < 0)
		return status;
	gate->config = gate->next_config;
	gate->has_next_config = false;
	span_done(&gate->openapi);
	gate->openapi = gate->next_openapi;
	gate->next_openapi = (struct span){.data = ""};
	deadlines_set(deadlines, DEADLINE_IDLE, gate->config.idle_ms);
	deadlines_set(deadlines, DEADLINE_HEAD, gate->config.header_ms);
	deadlines_set(deadlines, DEADLINE_BODY, gate->config.body_ms);
	deadlines_set(deadlines, DEADLINE_ANSWER, gate->config.body_ms);
	deadlines_set(deadlines, DEADLINE_LINGER, GATE_LINGER_MS);
	deadlines_set(deadlines, DEADLINE_ASK, GATE_ASK_MS);
	/* The ledger ends everything earlier; this is for a ledger that hangs. */
	deadlines_set(deadlines, DEADLINE_EXECUTE, LIMIT_WALL_MS_MAX + 600000 + 30000);
	return 0;
}

static int commit_first(struct gate *gate, unsigned *ret_abi, struct err *err)
{
	int status;

	if (!gate->has_next_config)
		return err_set(err, EPROTO, "COMMIT without a configuration");
	if (gate->next_front_fd < 0 || gate->next_ledger_fd < 0)
		return err_set(err, EPROTO, "COMMIT without the front or the ledger");
	status = confine(gate, ret_abi, err);
	if (status == 0)
		status = apply_config(gate, err);
	if (status == 0)
		status = ledger_open(gate, fd_take(&gate->next_ledger_fd), err);
	if (status == 0)
		status = front_open(gate, gate->next_front_link, fd_take(&gate->next_front_fd),
				    err);
	gate->is_committed = status == 0;
	return status;
}

static int commit_again(struct gate *gate, struct err *err)
{
	int status;

	if (!gate->has_next_config)
		return 0;
	status = check_descriptors(gate, err);
	if (status < 0)
		return status;
	return apply_config(gate, err);
}

static int say(struct gate *gate, uint16_t type, const struct wr *wr, struct err *err)
{
	return chan_send(&gate->setup, type, 0, wr->data, wr->length, NULL, 0, err);
}

/* A front that lives on without its channel would wait for ever; so it is told of. */
void setup_say_front_lost(struct gate *gate)
{
	const struct setup_peer_lost lost = {.empty = 0};
	struct err err = {0};
	uint8_t body[8];
	struct wr wr;

	if (gate->front_link == 0)
		return;
	wr_init(&wr, body, sizeof(body));
	setup_peer_lost_encode(&wr, &lost);
	if (chan_send(&gate->setup, SETUP_PEER_LOST, gate->front_link, body, wr.length, NULL, 0,
		      &err) == 0)
		return;
	/* A failed send closes the channel and calls nobody. */
	log_event(LOG_ERROR, "supervisor_gone", LOG_STR("why", err.text));
	loop_stop(&gate->loop);
}

static int serve_commit(void *owner, struct msg *msg, struct err *err)
{
	struct gate *gate = owner;
	struct setup_commit commit;
	struct setup_ready ready = {.detail = "serving"};
	struct setup_failed failed = {.detail = ""};
	unsigned abi = confine_landlock_abi();
	uint8_t body[CHAN_BODY_MAX / 16];
	bool was_committed = gate->is_committed;
	struct wr wr;
	int status;

	if (setup_commit_decode(msg->body, msg->length, &commit, err) < 0)
		return -EPROTO;
	status = was_committed ? commit_again(gate, err) : commit_first(gate, &abi, err);
	wr_init(&wr, body, sizeof(body));
	if (status == 0) {
		ready.landlock_abi = abi;
		setup_ready_encode(&wr, &ready);
		log_event(LOG_INFO, was_committed ? "reloaded" : "ready",
			  LOG_INT("landlock_abi", abi));
		return say(gate, SETUP_READY, &wr, err);
	}
	log_event(LOG_ERROR, "commit_failed", LOG_STR("error", err->text));
	text_copy((struct text){err->text, strlen(err->text)}, failed.detail,
		  sizeof(failed.detail));
	setup_failed_encode(&wr, &failed);
	/* A half-confined process must not go on; a refused reload keeps what it had. */
	if (!was_committed)
		loop_stop(&gate->loop);
	return say(gate, SETUP_FAILED, &wr, err);
}

static bool is_busy(const struct gate *gate)
{
	for (uint32_t slot = 0; slot < GATE_SLOTS; slot++) {
		const struct conn *conn = gate->conns[slot];

		if (conn != NULL && !conn->is_dead && conn->listener == LISTENER_MAIN &&
		    conn->state != CONN_LINGER && !conn_is_idle(conn))
			return true;
	}
	return false;
}

static void drained(struct gate *gate, const char *how)
{
	struct setup_drained message = {.empty = 0};
	struct err err = {0};
	uint8_t body[8];
	struct wr wr;

	log_event(LOG_INFO, "drained", LOG_STR("how", how));
	wr_init(&wr, body, sizeof(body));
	setup_drained_encode(&wr, &message);
	if (say(gate, SETUP_DRAINED, &wr, &err) < 0)
		log_event(LOG_WARN, "drained_unsaid", LOG_STR("error", err.text));
	loop_stop(&gate->loop);
}

void setup_check_drained(struct gate *gate)
{
	if (!gate->is_draining || gate->loop.is_stopped || is_busy(gate))
		return;
	drained(gate, "every request is answered");
}

static void drain_deadline(struct loop *loop, struct timer *timer)
{
	(void)loop;
	drained(timer->owner, "the deadline passed");
}

static int serve_drain(void *owner, struct msg *msg, struct err *err)
{
	struct gate *gate = owner;
	struct setup_drain drain;

	if (setup_drain_decode(msg->body, msg->length, &drain, err) < 0)
		return -EPROTO;
	log_event(LOG_INFO, "draining", LOG_INT("in_flight", gate->metrics.requests_in_flight));
	gate->is_draining = true;
	gate->drain_timer = (struct timer){.fire = drain_deadline, .owner = gate};
	loop_timer_start(&gate->loop, &gate->drain_timer, (uint64_t)drain.deadline_ms * 1000);
	conn_drop_idle(gate);
	return 0;
}

static const struct route setup_routes[] = {
	/* type             states                          descriptors  server */
	{SETUP_HELLO, SETUP_NEW, 0, 0, serve_hello},
	{SETUP_GATE_CONFIG, SETUP_GREETED | SETUP_SERVING, 2, 2, serve_config},
	{SETUP_PEER, SETUP_GREETED | SETUP_SERVING, 1, 1, serve_peer},
	{SETUP_COMMIT, SETUP_GREETED | SETUP_SERVING, 0, 0, serve_commit},
	{SETUP_DRAIN, SETUP_SERVING, 0, 0, serve_drain},
};

static uint32_t setup_state(const struct gate *gate)
{
	if (gate->is_committed)
		return SETUP_SERVING;
	return gate->has_hello ? SETUP_GREETED : SETUP_NEW;
}

static void serve(struct chan *chan, struct msg *msg)
{
	struct gate *gate = chan->owner;
	struct err err = {0};

	if (route_dispatch(setup_routes, ARRAY_COUNT(setup_routes), setup_state(gate), gate,
			   msg, &err) == 0)
		return;
	log_event(LOG_ERROR, "setup_failed", LOG_STR("error", err.text));
	loop_stop(&gate->loop);
}

/* Without the supervisor nobody restarts the neighbours or ends this process. */
static void supervisor_lost(struct chan *chan, const struct err *why)
{
	struct gate *gate = chan->owner;

	log_event(LOG_INFO, "supervisor_gone", LOG_STR("why", why->text));
	loop_stop(&gate->loop);
}

int setup_open(struct gate *gate, int setup_fd, struct err *err)
{
	gate->setup.serve = serve;
	gate->setup.lost = supervisor_lost;
	gate->setup.owner = gate;
	return chan_open(&gate->setup, &gate->loop, setup_fd, err);
}
