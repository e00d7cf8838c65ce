/*
 * casemate-front: the only process that reads TLS records and holds the TLS key.
 *
 * Started by the supervisor, which it trusts; it trusts neither callers nor the gate. It gets
 * its socket, keys and limits over the set-up channel, opens no file, and serves only after it
 * has confined itself and proved it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/confine.h"
#include "base/log.h"
#include "schema/wire/setup.h"
#include "server/front/front.h"

/* Descriptors beyond the two of each connection: channels, epoll, listener, keys of a reload.
 */
#define DESCRIPTORS_SPARE 64

enum state { STATE_NEW = 1, STATE_SETTING_UP = 2, STATE_SERVING = 4, STATE_DRAINING = 8 };

/* What came since the last COMMIT. */
struct staged {
	bool has_config;
	bool has_keys;
	struct setup_front_config config;
	int listener_fd;
	struct tls_keys keys;
};

struct program {
	struct front front;
	enum state state;
	struct setup_hello hello;
	struct staged staged;
	struct setup_front_config config; /* in force */
	size_t connections_ceiling; /* what memory and descriptors were sized for at start */
	unsigned landlock_abi;
	int exit_code;
};

static void staged_clear(struct staged *staged)
{
	fd_drop(&staged->listener_fd);
	fd_drop(&staged->keys.chain);
	fd_drop(&staged->keys.key);
	fd_drop(&staged->keys.client_ca);
	fd_drop(&staged->keys.crl);
	staged->has_config = false;
	staged->has_keys = false;
}

/* --- confinement ------------------------------------------------------------------------- */

static const struct confine_syscall allowed[] = {
#define ALLOW CONFINE_ALLOW
#include "base/common.seccomp.def"
#include "server/front/front.seccomp.def"
#undef ALLOW
};

/* Each connection takes two descriptors. Fewer connections are better than accept(2) failing.
 */
static uint32_t fit_descriptors(uint32_t connections_max)
{
	rlim_t wanted = (rlim_t)connections_max * 2 + DESCRIPTORS_SPARE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return connections_max;
	if (limit.rlim_max < wanted) {
		struct rlimit raised = {wanted, wanted};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0) /* only root may */
			return connections_max;
	}
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == wanted)
		return connections_max;
	log_event(LOG_WARN, "connections_limited", LOG_INT("wanted", connections_max),
		  LOG_INT("open_files_max", limit.rlim_cur),
		  LOG_STR("remedy", "raise the limit of open files (ulimit -Hn)"));
	return limit.rlim_cur > DESCRIPTORS_SPARE + 2
		       ? (uint32_t)(limit.rlim_cur - DESCRIPTORS_SPARE) / 2
		       : 1;
}

/* Top to bottom: what needs rights or the limits of the start, then the drop, then the proof.
 */
static int confine_front(struct program *program, struct err *err)
{
	bool is_locked = false;
	int status;

	program->connections_ceiling = fit_descriptors(program->staged.config.connections_max);
	status = tls_init(program->connections_ceiling, &is_locked, err);
	if (status == 0)
		status = confine_uid(program->hello.host_uid, err);
	if (status == 0)
		status = confine_privileges(err);
	if (status == 0)
		status = confine_landlock(program->hello.landlock_abi_min, NULL, 0,
					  &program->landlock_abi, err);
	if (status == 0)
		status = confine_seccomp(allowed, ARRAY_COUNT(allowed), err);
	if (status == 0)
		status = confine_prove(0, err);
	if (status == 0 && !is_locked)
		log_event(LOG_WARN, "keys_may_be_swapped",
			  LOG_STR("remedy", "raise the limit of locked memory (ulimit -Hl)"));
	return status;
}

/* --- set-up messages --------------------------------------------------------------------- */

static int serve_hello(void *owner, struct msg *msg, struct err *err)
{
	struct program *program = owner;
	int status = setup_hello_decode(msg->body, msg->length, &program->hello, err);

	if (status < 0)
		return status;
	/* Two builds may number their messages differently. */
	if (strcmp(program->hello.build_id, CASEMATE_VERSION) != 0)
		return err_set(err, EPROTO, "the supervisor is of build %s, this front of %s",
			       program->hello.build_id, CASEMATE_VERSION);
	log_init("front", (enum log_level)program->hello.log_level);
	program->state = STATE_SETTING_UP;
	return 0;
}

static int serve_config(void *owner, struct msg *msg, struct err *err)
{
	struct program *program = owner;
	struct staged *staged = &program->staged;
	int status = setup_front_config_decode(msg->body, msg->length, &staged->config, err);

	if (status < 0)
		return status;
	fd_drop(&staged->listener_fd);
	staged->listener_fd = msg_take_fd(msg, 0);
	staged->has_config = true;
	return 0;
}

static int serve_keys(void *owner, struct msg *msg, struct err *err)
{
	struct program *program = owner;
	struct staged *staged = &program->staged;
	struct setup_front_keys message;
	int status = setup_front_keys_decode(msg->body, msg->length, &message, err);

	if (status < 0)
		return status;
	if (msg->fd_count != 3u + message.has_crl)
		return err_set(err, EPROTO, "keys come with %u descriptors", msg->fd_count);
	fd_drop(&staged->keys.chain);
	fd_drop(&staged->keys.key);
	fd_drop(&staged->keys.client_ca);
	fd_drop(&staged->keys.crl);
	staged->keys.chain = msg_take_fd(msg, 0);
	staged->keys.key = msg_take_fd(msg, 1);
	staged->keys.client_ca = msg_take_fd(msg, 2);
	staged->keys.crl = message.has_crl ? msg_take_fd(msg, 3) : -1;
	staged->has_keys = true;
	return 0;
}

static int serve_peer(void *owner, struct msg *msg, struct err *err)
{
	struct program *program = owner;
	struct setup_peer message;
	int status = setup_peer_decode(msg->body, msg->length, &message, err);

	if (status < 0)
		return status;
	if (message.role != SETUP_ROLE_GATE)
		return err_set(err, EPROTO, "the front has no peer of role %u", message.role);
	return front_set_gate(&program->front, msg_take_fd(msg, 0), err);
}

/* A context cannot be half exchanged: everything that can fail comes before the first change.
 */
static int apply(struct program *program, struct err *err)
{
	struct front *front = &program->front;
	struct staged *staged = &program->staged;
	const struct setup_front_config *config =
		staged->has_config ? &staged->config : &program->config;
	SSL_CTX *fresh = NULL;
	int status = 0;

	if (staged->has_keys)
		status = tls_context_new(&staged->keys, config->tls12_allowed, &fresh, err);
	else if (staged->has_config)
		status = tls_allow_tls12(front->tls, config->tls12_allowed, err);
	if (status == 0 && staged->has_config && program->state != STATE_DRAINING)
		status = front_listen(front, fd_take(&staged->listener_fd), err);
	if (status < 0) {
		SSL_CTX_free(fresh);
		return status;
	}
	if (fresh != NULL) {
		SSL_CTX_free(front->tls); /* living connections hold their own reference */
		front->tls = fresh;
		trust_changed(front);
	}
	program->config = *config;
	front->handshake_ms = config->handshake_ms;
	front->handshakes_per_address_max = config->handshakes_per_address_max;
	front->connections_max = config->connections_max;
	if (front->connections_max > program->connections_ceiling) {
		log_event(LOG_WARN, "connections_limited",
			  LOG_INT("wanted", config->connections_max),
			  LOG_INT("limit", program->connections_ceiling),
			  LOG_STR("remedy", "restart the service"));
		front->connections_max = (uint32_t)program->connections_ceiling;
	}
	front_update_accepting(front);
	return 0;
}

static int first_commit(struct program *program, struct err *err)
{
	int status;

	if (!program->staged.has_config || !program->staged.has_keys)
		return err_set(err, EPROTO, "COMMIT came before configuration and keys");
	status = confine_front(program, err);
	if (status == 0)
		status = apply(program, err);
	return status;
}

static int send_ready(struct program *program, struct err *err)
{
	struct setup_ready ready = {.landlock_abi = program->landlock_abi};
	uint8_t body[LIMIT_DETAIL_BYTES + 16];
	struct wr wr;

	(void)snprintf(ready.detail, sizeof(ready.detail), "OpenSSL %s",
		       OpenSSL_version(OPENSSL_VERSION_STRING));
	wr_init(&wr, body, sizeof(body));
	setup_ready_encode(&wr, &ready);
	return chan_send(&program->front.supervisor, SETUP_READY, 0, wr.data, wr.length, NULL,
			 0, err);
}

static int send_failed(struct program *program, const char *why, struct err *err)
{
	struct setup_failed failed = {{0}};
	uint8_t body[LIMIT_DETAIL_BYTES + 16];
	struct wr wr;

	(void)snprintf(failed.detail, sizeof(failed.detail), "%s", why);
	wr_init(&wr, body, sizeof(body));
	setup_failed_encode(&wr, &failed);
	return chan_send(&program->front.supervisor, SETUP_FAILED, 0, wr.data, wr.length, NULL,
			 0, err);
}

static int serve_commit(void *owner, struct msg *msg, struct err *err)
{
	struct program *program = owner;
	struct setup_commit message;
	struct err why;
	int status = setup_commit_decode(msg->body, msg->length, &message, err);

	if (status < 0)
		return status;
	if (program->state == STATE_SETTING_UP)
		status = first_commit(program, &why);
	else
		status = apply(program, &why);
	staged_clear(&program->staged);
	if (status == 0) {
		if (program->state == STATE_SETTING_UP)
			program->state = STATE_SERVING;
		return send_ready(program, err);
	}
	status = send_failed(program, why.text, err);
	if (program->state == STATE_SETTING_UP)
		return err_set(err, why.code, "%s", why.text); /* fatal */
	log_event(LOG_ERROR, "reload_refused", LOG_STR("why", why.text));
	return status;
}

static void drained(struct front *front)
{
	struct setup_drained message = {0};
	uint8_t body[8];
	struct err err;
	struct wr wr;

	wr_init(&wr, body, sizeof(body));
	setup_drained_encode(&wr, &message);
	if (chan_send(&front->supervisor, SETUP_DRAINED, 0, wr.data, wr.length, NULL, 0, &err) <
	    0)
		log_event(LOG_WARN, "drained_unheard", LOG_STR("why", err.text));
	loop_stop(&front->loop);
}

static int serve_drain(void *owner, struct msg *msg, struct err *err)
{
	struct program *program = owner;
	struct setup_drain message;
	int status = setup_drain_decode(msg->body, msg->length, &message, err);

	if (status < 0)
		return status;
	program->state = STATE_DRAINING;
	program->front.drained = drained;
	front_drain(&program->front, message.deadline_ms);
	return 0;
}

static const struct route routes[] = {
	{SETUP_HELLO, STATE_NEW, 0, 0, serve_hello},
	{SETUP_FRONT_CONFIG, STATE_SETTING_UP | STATE_SERVING | STATE_DRAINING, 1, 1,
	 serve_config},
	{SETUP_FRONT_KEYS, STATE_SETTING_UP | STATE_SERVING | STATE_DRAINING, 3, 4, serve_keys},
	{SETUP_PEER, STATE_SETTING_UP | STATE_SERVING | STATE_DRAINING, 1, 1, serve_peer},
	{SETUP_COMMIT, STATE_SETTING_UP | STATE_SERVING | STATE_DRAINING, 0, 0, serve_commit},
	{SETUP_DRAIN, STATE_SETTING_UP | STATE_SERVING | STATE_DRAINING, 0, 0, serve_drain},
};

static void stop(struct program *program, const char *event, const char *why)
{
	log_event(LOG_ERROR, event, LOG_STR("why", why));
	program->exit_code = EXIT_FAILURE;
	loop_stop(&program->front.loop);
}

static void supervisor_serve(struct chan *chan, struct msg *msg)
{
	struct program *program = chan->owner;
	struct err err = {0};

	if (route_dispatch(routes, ARRAY_COUNT(routes), (uint32_t)program->state, program, msg,
			   &err) < 0)
		stop(program, "set_up_failed", err.text);
}

static void supervisor_lost(struct chan *chan, const struct err *why)
{
	stop(chan->owner, "supervisor_lost", why->text);
}

/* --- start ------------------------------------------------------------------------------- */

/* The supervisor alone decides when to stop and when to reload; a terminal's signals go to the
 * whole group and would end a front that should drain. */
static void ignore_signals(void)
{
	static const int ignored[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	for (size_t i = 0; i < ARRAY_COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
}

static int run(struct program *program, struct err *err)
{
	struct front *front = &program->front;
	int status = front_init(front, err);

	if (status < 0)
		return status;
	front->supervisor.serve = supervisor_serve;
	front->supervisor.lost = supervisor_lost;
	front->supervisor.owner = program;
	status = chan_open(&front->supervisor, &front->loop, SETUP_FD, err);
	if (status == 0)
		status = loop_run(&front->loop, err);
	staged_clear(&program->staged);
	front_done(front);
	return status;
}

int main(int argc, char **argv)
{
	/* Static: the scratch buffer is large, and connections point back to it. */
	static struct program program = {
		.state = STATE_NEW,
		.staged = {.listener_fd = -1, .keys = {-1, -1, -1, -1}},
	};
	struct err err;

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		(void)printf("casemate-front %s\n", CASEMATE_VERSION);
		return 0;
	}
	if (argc > 1 || fcntl(SETUP_FD, F_GETFD) < 0) {
		(void)fprintf(stderr,
			      "casemate-front is started by 'casemate serve', which hands it "
			      "its socket and keys; it cannot run alone.\n");
		return argc > 1 && strcmp(argv[1], "--help") == 0 ? 0 : 100;
	}
	log_init("front", LOG_INFO);
	ignore_signals();
	(void)syscall(SYS_close_range, SETUP_FD + 1, ~0u, 0);
	if (run(&program, &err) < 0) {
		log_event(LOG_ERROR, "failed", LOG_STR("why", err.text));
		return EXIT_FAILURE;
	}
	return program.exit_code;
}
