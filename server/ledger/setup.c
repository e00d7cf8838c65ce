#include "server/ledger/setup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "server/ledger/body.h"
#include "server/ledger/confine_ledger.h"
#include "server/ledger/flow.h"
#include "server/ledger/ledger.h"
#include "server/ledger/migrate.h"
#include "server/ledger/start.h"

enum { STATE_NEW = 1, STATE_COLLECTING = 2, STATE_SERVING = 4, STATE_DRAINING = 8 };

/* What a drain does when its time is up, one after another, with so many milliseconds between:
 * cancel what runs; end what did not; stop whatever is left. */
enum { DRAIN_WAITING, DRAIN_CANCELLED, DRAIN_ENDED };
#define DRAIN_STEP_MS 1200

/* Executions under way at once, at most; each may hold four descriptors for a moment. */
#define EXECUTIONS_MAX 4096
#define FDS_EACH       4
#define FDS_OTHER      160 /* neighbours, database, the first payloads of a round */
#define FDS_WANTED     (EXECUTIONS_MAX * FDS_EACH + FDS_OTHER)
#define TICK_US	       1000000

/* What the supervisor takes of a whole configuration. */
#define POLICIES_BYTES_MAX (64u << 20)

static void say_failed(struct setup *setup, const struct err *why)
{
	uint8_t body[LIMIT_DETAIL_BYTES + 16];
	struct setup_failed failed = {0};
	struct wr wr;

	(void)snprintf(failed.detail, sizeof(failed.detail), "%s", why->text);
	wr_init(&wr, body, sizeof(body));
	setup_failed_encode(&wr, &failed);
	err_ignore(chan_send_blocking(setup->chan.fd, SETUP_FAILED, 0, body, wr.length, NULL, 0,
				      NULL),
		   "the exit code says it too");
}

static int say_ready(struct ledger *ledger, struct err *err)
{
	struct setup_ready ready = {.landlock_abi = ledger->setup.landlock_abi};
	uint8_t body[LIMIT_DETAIL_BYTES + 16];
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	setup_ready_encode(&wr, &ready);
	return chan_send_blocking(ledger->setup.chan.fd, SETUP_READY, 0, body, wr.length, NULL,
				  0, err);
}

/* A neighbour that lives on without its channel would wait for ever; so it is told of. */
void setup_say_lost(struct ledger *ledger, uint64_t link)
{
	const struct setup_peer_lost lost = {0};
	struct err err = {0};
	uint8_t body[8];
	struct wr wr;

	if (link == 0)
		return;
	wr_init(&wr, body, sizeof(body));
	setup_peer_lost_encode(&wr, &lost);
	if (chan_send(&ledger->setup.chan, SETUP_PEER_LOST, link, body, wr.length, NULL, 0,
		      &err) == 0)
		return;
	/* A failed send closes the channel and calls nobody. */
	log_event(LOG_ERROR, "supervisor_lost", LOG_STR("reason", err.text));
	ledger->setup.exit_code = 1;
	loop_stop(&ledger->loop);
}

static int serve_hello(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = owner;
	int status = setup_hello_decode(msg->body, msg->length, &ledger->setup.hello, err);

	if (status < 0)
		return status;
	log_init("ledger", (enum log_level)ledger->setup.hello.log_level);
	ledger->setup.state = STATE_COLLECTING;
	return 0;
}

static int serve_ledger_config(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = owner;
	struct setup *setup = &ledger->setup;
	own_fd folder = msg_take_fd(msg, 0);
	own_fd policies_fd = msg_take_fd(msg, 1);
	own_span policies = {.data = ""};
	int status = memfd_map(policies_fd, POLICIES_BYTES_MAX, &policies, err);

	if (status == 0)
		status = staging_ledger(&setup->staging, msg, &policies, err);

	if (status < 0 || setup->state != STATE_COLLECTING)
		return status;
	fd_drop(&setup->folder_fd);
	setup->folder_fd = fd_take(&folder);
	return 0;
}

static int serve_tenant(void *owner, struct msg *msg, struct err *err)
{
	return staging_tenant(&((struct ledger *)owner)->setup.staging, msg, err);
}

static int serve_principal(void *owner, struct msg *msg, struct err *err)
{
	return staging_principal(&((struct ledger *)owner)->setup.staging, msg, err);
}

/* Before READY no byte of a neighbour is read. */
static int serve_peer(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = owner;
	struct setup *setup = &ledger->setup;
	own_fd fd = msg_take_fd(msg, 0);
	struct setup_peer peer;
	int status = setup_peer_decode(msg->body, msg->length, &peer, err);

	if (status < 0)
		return status;
	if (setup->state != STATE_COLLECTING)
		return peers_open(ledger, peer.role, msg->id, fd_take(&fd), err);
	if (setup->early_count == SETUP_PEERS_EARLY_MAX)
		return err_set(err, E2BIG, "more than %d neighbours", SETUP_PEERS_EARLY_MAX);
	setup->early[setup->early_count].role = peer.role;
	setup->early[setup->early_count].link = msg->id;
	setup->early[setup->early_count++].fd = fd_take(&fd);
	return 0;
}

static void raise_fd_limit(struct ledger *ledger)
{
	struct rlimit limit = {0};

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FDS_WANTED) {
		limit.rlim_cur = limit.rlim_max < FDS_WANTED ? limit.rlim_max : FDS_WANTED;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* what it is counts, see below */
		(void)getrlimit(RLIMIT_NOFILE, &limit);
	}
	ledger->executions_max = EXECUTIONS_MAX;
	if (limit.rlim_cur < FDS_WANTED)
		ledger->executions_max = limit.rlim_cur > FDS_OTHER + FDS_EACH
						 ? (limit.rlim_cur - FDS_OTHER) / FDS_EACH
						 : 1;
}

static void tick_files(struct ledger *ledger)
{
	const struct setup_ledger_config *config = &ledger->config.ledger;

	files_tick(&ledger->files, config->retain_files_s > 0 ? config->retain_files_bytes : 0);
}

static void tick_fire(struct loop *loop, struct timer *timer)
{
	validators_tick(timer->owner);
	round_tick(timer->owner);
	tick_files(timer->owner);
	loop_timer_start(loop, timer, TICK_US);
}

static int open_database(struct ledger *ledger, const struct migrations *migrations,
			 const char *path, struct err *err)
{
	int status = database_open(&ledger->db, path, err);

	if (status == 0)
		status = migrations_apply(migrations, &ledger->db, NULL, err);
	return status == 0 ? start_records(ledger, err) : status;
}

/* Without it executions run and are recorded as ever; only large files cannot be fetched. */
static void open_files(struct ledger *ledger, const char *database)
{
	struct err err = {0};
	char path[320];

	(void)snprintf(path, sizeof(path), "%s" CONFINE_FILES_SUFFIX, database);
	if (files_open(&ledger->files, &ledger->loop, path, &err) < 0)
		log_event(LOG_ERROR, "file_store_unavailable", LOG_STR("reason", err.text),
			  LOG_STR("effect", "large result files are not kept"));
	ledger->files.bytes_max = ledger->config.ledger.retain_files_bytes;
}

static int open_early_peers(struct ledger *ledger, struct err *err)
{
	struct setup *setup = &ledger->setup;
	int status = 0;

	for (size_t i = 0; i < setup->early_count; i++) {
		if (status == 0)
			status = peers_open(ledger, setup->early[i].role, setup->early[i].link,
					    setup->early[i].fd, err);
		else
			fd_drop(&setup->early[i].fd);
	}
	setup->early_count = 0;
	return status;
}

/* The only way from rights to service: files are read, rights dropped and proven gone, the
 * database opened and brought up to date, and only then anything is heard from a neighbour. */
static int commit_first(struct ledger *ledger, struct err *err)
{
	struct setup *setup = &ledger->setup;
	own_migrations migrations = {0};
	char path[300];
	int status = config_commit(&ledger->config, &setup->staging, clock_mono_us(), err);

	if (status == 0)
		status = migrations_read_own(&migrations, err);
	if (status < 0)
		return status;
	raise_fd_limit(ledger);
	status =
		confine_ledger(&setup->hello, fd_take(&setup->folder_fd),
			       ledger->config.ledger.database, path, &setup->landlock_abi, err);
	/* Before the records: what they settle gives no file. */
	if (status == 0)
		open_files(ledger, path);
	if (status == 0)
		status = open_database(ledger, &migrations, path, err);
	if (status == 0)
		status = say_ready(ledger, err);
	if (status < 0)
		return status;
	setup->state = STATE_SERVING;
	start_note_config(ledger);
	ledger->tick = (struct timer){.fire = tick_fire, .owner = ledger};
	loop_timer_start(&ledger->loop, &ledger->tick, TICK_US);
	return open_early_peers(ledger, err);
}

static int commit_again(struct ledger *ledger, struct err *err)
{
	struct setup *setup = &ledger->setup;
	int status = 0;

	/* Nothing was sent: the supervisor only asks whether all is well. */
	if (!setup->staging.has_ledger && setup->staging.tenant_count == 0)
		return say_ready(ledger, err);
	if (setup->staging.has_ledger &&
	    strcmp(setup->staging.ledger.database, ledger->config.ledger.database) != 0)
		status = err_set(err, EINVAL,
				 "the name of the database changes only with a restart");
	if (status == 0)
		status = config_commit(&ledger->config, &setup->staging, clock_mono_us(), err);
	staging_done(&setup->staging);
	if (status < 0) {
		log_event(LOG_ERROR, "reload_refused", LOG_STR("reason", err->text));
		say_failed(setup, err);
		return 0; /* the old configuration stays */
	}
	log_event(LOG_INFO, "reloaded", LOG_INT("tenants", ledger->config.tenant_count));
	start_note_config(ledger);
	return say_ready(ledger, err);
}

static int serve_commit(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = owner;
	struct setup_commit commit;
	int status = setup_commit_decode(msg->body, msg->length, &commit, err);

	if (status < 0)
		return status;
	return ledger->setup.state == STATE_COLLECTING ? commit_first(ledger, err)
						       : commit_again(ledger, err);
}

/* --- drain ------------------------------------------------------------------------------- */

static void drain_cancel(struct ledger *ledger)
{
	struct execution *next;

	for (struct execution *e = ledger->executions.first; e != NULL; e = next) {
		next = e->next;
		if (e->state == EXECUTION_CHECKING)
			flow_refuse(e, PROBLEM_DRAINING, 1, "Nothing was run: try again.",
				    "the service is shutting down");
		else
			flow_event(e, FLOW_CANCEL);
	}
}

static void drain_end(struct ledger *ledger)
{
	struct execution *next;

	for (struct execution *e = ledger->executions.first; e != NULL; e = next) {
		next = e->next;
		flow_event(e, FLOW_LATE);
	}
}

static void drain_fire(struct loop *loop, struct timer *timer)
{
	struct ledger *ledger = timer->owner;

	if (ledger->setup.drain_stage == DRAIN_WAITING)
		drain_cancel(ledger);
	else if (ledger->setup.drain_stage == DRAIN_CANCELLED)
		drain_end(ledger);
	ledger->setup.drain_stage++;
	if (ledger->setup.drain_stage <= DRAIN_ENDED)
		loop_timer_start(loop, timer, DRAIN_STEP_MS * 1000);
}

static int serve_drain(void *owner, struct msg *msg, struct err *err)
{
	struct ledger *ledger = owner;
	struct setup *setup = &ledger->setup;
	struct setup_drain drain;
	int status = setup_drain_decode(msg->body, msg->length, &drain, err);

	if (status < 0 || ledger->is_draining)
		return status;
	if (setup->state == STATE_COLLECTING) {
		loop_stop(&ledger->loop);
		return 0;
	}
	log_event(LOG_INFO, "draining", LOG_INT("under_way", ledger->executions.count),
		  LOG_INT("deadline_ms", drain.deadline_ms));
	setup->state = STATE_DRAINING;
	ledger->is_draining = true;
	setup->drain = (struct timer){.fire = drain_fire, .owner = ledger};
	loop_timer_start(&ledger->loop, &setup->drain, drain.deadline_ms * 1000ull);
	return 0;
}

static bool is_quiet(const struct ledger *ledger)
{
	if (ledger->setup.drain_stage > DRAIN_ENDED)
		return true; /* whatever is left is settled at the next start */
	for (const struct execution *e = ledger->executions.first; e != NULL; e = e->next)
		if (e->state != EXECUTION_UNSETTLED)
			return false;
	return !ledger->gate.peer.is_up || ledger->gate.peer.chan.queued_bytes == 0;
}

static void note_stopped(struct ledger *ledger)
{
	struct jsonw json;
	own_buf buf;

	refusals_flush(ledger);
	buf_init(&buf, BODY_BYTES_MAX);
	jsonw_init(&json, &buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "reason", "drained");
	jsonw_key_u64(&json, "executions_left", ledger->executions.count);
	jsonw_object_close(&json);
	round_note(ledger, RECORD_SERVICE_STOPPED, "", "", &buf);
}

void setup_drain_step(struct ledger *ledger)
{
	struct setup *setup = &ledger->setup;
	struct setup_drained drained = {0};
	struct err err = {0};
	uint8_t body[8];
	struct wr wr;

	if (setup->has_stopped || !is_quiet(ledger))
		return;
	setup->has_stopped = true;
	note_stopped(ledger);
	round_end(ledger);
	if (database_checkpoint(&ledger->db, true, &err) < 0)
		log_event(LOG_WARN, "checkpoint_failed", LOG_STR("reason", err.text));
	wr_init(&wr, body, sizeof(body));
	setup_drained_encode(&wr, &drained);
	err_ignore(chan_send_blocking(setup->chan.fd, SETUP_DRAINED, 0, body, wr.length, NULL,
				      0, NULL),
		   "the exit says it too");
	log_event(LOG_INFO, "drained", LOG_INT("records", ledger->db.committed.count));
	loop_stop(&ledger->loop);
}

/* --- the channel ------------------------------------------------------------------------- */

#define ANY (STATE_COLLECTING | STATE_SERVING | STATE_DRAINING)

static const struct route routes[] = {
	{SETUP_HELLO, STATE_NEW, 0, 0, serve_hello},
	{SETUP_LEDGER_CONFIG, ANY, 2, 2, serve_ledger_config},
	{SETUP_TENANT, ANY, 0, 0, serve_tenant},
	{SETUP_PRINCIPAL, ANY, 0, 0, serve_principal},
	{SETUP_PEER, ANY, 1, 1, serve_peer},
	{SETUP_COMMIT, ANY, 0, 0, serve_commit},
	{SETUP_DRAIN, ANY, 0, 0, serve_drain},
};

static void serve(struct chan *chan, struct msg *msg)
{
	struct ledger *ledger = chan->owner;
	struct err err = {0};

	if (route_dispatch(routes, ARRAY_COUNT(routes), ledger->setup.state, ledger, msg,
			   &err) == 0)
		return;
	log_event(LOG_ERROR, "setup_failed", LOG_INT("message", msg->type),
		  LOG_STR("reason", err.text));
	say_failed(&ledger->setup, &err);
	ledger->setup.exit_code = 1;
	chan_close(chan);
	loop_stop(&ledger->loop);
}

/* The supervisor is gone: nobody would restart a neighbour or hear a drain. */
static void lost(struct chan *chan, const struct err *why)
{
	struct ledger *ledger = chan->owner;

	log_event(LOG_ERROR, "supervisor_lost", LOG_STR("reason", why->text));
	ledger->setup.exit_code = 1;
	loop_stop(&ledger->loop);
}

int setup_open(struct ledger *ledger, struct err *err)
{
	struct setup *setup = &ledger->setup;
	int flags = fcntl(SETUP_FD, F_GETFL);

	setup->state = STATE_NEW;
	setup->folder_fd = -1;
	setup->chan.fd = -1;
	setup->chan.serve = serve;
	setup->chan.lost = lost;
	setup->chan.owner = ledger;
	if (flags < 0 || fcntl(SETUP_FD, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(SETUP_FD, F_SETFD, FD_CLOEXEC) != 0)
		return err_errno(err, errno,
				 "descriptor %d: this program is started by `casemate serve`",
				 SETUP_FD);
	return chan_open(&setup->chan, &ledger->loop, SETUP_FD, err);
}
