#include "server/front/front.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/front/identity.h"

#define ACCEPT_BURST	  16   /* handshakes cost CPU; the connected are served in between */
#define ACCEPT_PAUSE_MS	  100  /* after running out of descriptors or memory */
#define REFUSALS_MS	  1000 /* equal refusals of one second are one message */
#define CRL_LOG_US	  60000000ull
#define PAIR_BUFFER_BYTES (64 * 1024) /* kernel buffer of each end, doubled by the kernel */

bool front_has_gate(const struct front *front)
{
	return front->gate.fd >= 0;
}

static void drop_all(struct front *front, enum conn_state state)
{
	while (front->conns[state].first != NULL)
		conn_drop(front->conns[state].first);
}

/* --- accepting --------------------------------------------------------------------------- */

static struct conn *without_identity(const struct front *front)
{
	if (front->conns[CONN_LINGER].first != NULL)
		return front->conns[CONN_LINGER].first;
	return front->conns[CONN_HANDSHAKE].first;
}

static bool has_room(const struct front *front)
{
	return front->conn_count < front->connections_max || without_identity(front) != NULL;
}

void front_update_accepting(struct front *front)
{
	bool is_wanted = front->listener_fd >= 0 && front->tls != NULL &&
			 front_has_gate(front) && !front->is_draining &&
			 !front->accept_pause.is_armed && has_room(front);
	struct err err;

	if (!is_wanted) {
		loop_unwatch(&front->loop, &front->listener);
		return;
	}
	if (front->listener.fd < 0 &&
	    loop_watch(&front->loop, &front->listener, front->listener_fd, EPOLLIN, &err) < 0)
		log_event(LOG_ERROR, "cannot_accept", LOG_STR("why", err.text));
}

static void accept_again(struct loop *loop, struct timer *timer)
{
	(void)loop;
	front_update_accepting(timer->owner);
}

static void pause_accepting(struct front *front, const char *why)
{
	log_event(LOG_WARN, "accept_paused", LOG_STR("why", why),
		  LOG_INT("connections", front->conn_count));
	loop_timer_start(&front->loop, &front->accept_pause, ACCEPT_PAUSE_MS * 1000);
	front_update_accepting(front);
}

static void make_room(struct front *front)
{
	struct conn *oldest = without_identity(front);

	if (front->conn_count < front->connections_max || oldest == NULL)
		return;
	if (oldest->state == CONN_HANDSHAKE)
		front_refused(front, oldest, TLS_REFUSAL_TIMEOUT, "made room for another");
	conn_drop(oldest);
}

/* Half of all, at most: one address can then never push out the handshakes of another. */
static uint32_t share_of_address(const struct front *front)
{
	uint32_t half = front->connections_max > 1 ? front->connections_max / 2 : 1;

	return front->handshakes_per_address_max < half ? front->handshakes_per_address_max
							: half;
}

/* -ENOMEM: it cannot be counted, so it must not stay. */
static int limit_address(struct front *front, struct conn *conn,
			 const struct sockaddr_storage *from)
{
	uint32_t count;
	struct conn *oldest;

	if (addresses_add(&front->addresses, &conn->address, from, &count) < 0)
		return -ENOMEM;
	if (count <= share_of_address(front))
		return 0;
	oldest = addresses_oldest(&conn->address);
	front_refused(front, oldest, TLS_REFUSAL_TOO_MANY, "its address has too many");
	conn_drop(oldest);
	return 0;
}

/* False when there is nobody to accept, or not now. */
static bool accept_one(struct front *front)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	struct conn *conn;
	int fd = accept4(front->listener_fd, (struct sockaddr *)&address, &length,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_accepting(front, strerror(errno));
		/* Everything else is an error of the one connection, see accept(2). */
		return errno != EAGAIN && errno != EMFILE && errno != ENFILE &&
		       errno != ENOBUFS && errno != ENOMEM && errno != EINVAL;
	}
	make_room(front);
	front->conn_count++;
	conn = conn_new(front, fd, &address);
	if (conn == NULL)
		front->conn_count--;
	else if (limit_address(front, conn, &address) < 0)
		conn_drop(conn);
	else
		return true;
	pause_accepting(front, "no memory for a connection");
	return false;
}

static void listener_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct front *front = watch->owner;

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPT_BURST && has_room(front); i++)
		if (!accept_one(front))
			break;
	front_update_accepting(front);
}

int front_listen(struct front *front, int take_fd, struct err *err)
{
	own_fd fd = take_fd;
	int is_listening = 0;
	socklen_t length = sizeof(is_listening);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) != 0 ||
	    is_listening == 0)
		return err_set(err, EINVAL, "the socket given to the front does not listen");
	/* A caller who left the backlog again must not make accept(2) wait for the next one. */
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return err_errno(err, errno, "make the listening socket non-blocking");
	loop_unwatch(&front->loop, &front->listener);
	fd_drop(&front->listener_fd);
	front->listener_fd = fd_take(&fd);
	front_update_accepting(front);
	return 0;
}

/* --- the gate ---------------------------------------------------------------------------- */

/* Its connections go with it, abruptly, so that no caller takes half an answer for a whole one.
 * While draining the gate may finish first; then the rest is still flushed. */
static void gate_gone(struct front *front)
{
	if (!front->is_draining)
		drop_all(front, CONN_OPEN);
	front_update_accepting(front);
}

static void gate_lost(struct chan *chan, const struct err *why)
{
	struct front *front = chan->owner;

	log_event(front->is_draining ? LOG_INFO : LOG_WARN, "gate_lost",
		  LOG_STR("why", why->text), LOG_INT("connections", front->conn_count));
	gate_gone(front);
}

void front_check_gate(struct front *front)
{
	if (!front_has_gate(front))
		gate_gone(front);
}

/* The gate has nothing to say to the front. */
static void gate_serve(struct chan *chan, struct msg *msg)
{
	log_event(LOG_ERROR, "gate_broke_protocol", LOG_INT("message", msg->type));
	chan_close(chan);
	gate_gone(chan->owner);
}

static void refusals_send(struct front *front);

int front_set_gate(struct front *front, int take_fd, struct err *err)
{
	int status;

	if (front_has_gate(front)) {
		chan_close(&front->gate);
		gate_gone(front);
	}
	front->gate.serve = gate_serve;
	front->gate.lost = gate_lost;
	front->gate.owner = front;
	status = chan_open(&front->gate, &front->loop, take_fd, err);
	if (status < 0)
		return status;
	if (front->tls != NULL)
		log_event(LOG_INFO, "gate_connected", LOG_INT("waiting", front->conn_count));
	while (front->conns[CONN_WAITING].first != NULL && front_has_gate(front))
		conn_attach(front->conns[CONN_WAITING].first);
	refusals_send(front);
	front_update_accepting(front);
	return 0;
}

/* A failed send has closed the channel without calling `lost`. */
static int gate_send(struct front *front, uint16_t type, uint64_t id, const struct wr *wr,
		     const int *fds, unsigned fd_count, struct err *err)
{
	int status;

	if (wr->has_failed)
		return err_set(err, EMSGSIZE, "message %u does not fit", type);
	status = chan_send(&front->gate, type, id, wr->data, wr->length, fds, fd_count, err);
	if (status < 0)
		log_event(LOG_WARN, "gate_lost", LOG_STR("why", err->text));
	return status;
}

static void describe(const struct conn *conn, struct front_connection *ret)
{
	const X509 *certificate = SSL_get0_peer_certificate(conn->ssl);
	struct identity identity;
	unsigned length = sizeof(ret->fingerprint);

	identity_of(certificate, &identity);
	if (identity.kind == 0)
		log_event(LOG_WARN, "no_identity", LOG_STR("peer", conn->peer),
			  LOG_STR("why", identity.fault));
	*ret = (struct front_connection){
		.identity_kind = identity.kind,
		.tls_version = (uint16_t)SSL_version(conn->ssl),
	};
	memcpy(ret->identity, identity.text, sizeof(ret->identity));
	memcpy(ret->peer, conn->peer, sizeof(ret->peer));
	identity_serial(certificate, ret->serial);
	if (X509_digest(certificate, EVP_sha256(), ret->fingerprint, &length) != 1)
		memset(ret->fingerprint, 0, sizeof(ret->fingerprint));
}

/* Bounds what the kernel keeps for a caller or a gate that does not read. */
static void limit_buffers(const int pair[2])
{
	const int bytes = PAIR_BUFFER_BYTES;

	for (int i = 0; i < 2; i++)
		(void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

int front_introduce(struct front *front, struct conn *conn, int *ret_fd, struct err *err)
{
	struct front_connection connection;
	uint8_t body[1024]; /* the message's fields at their longest are 450 bytes */
	struct wr wr;
	int pair[2];
	int status;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return err_errno(err, errno, "socketpair");
	limit_buffers(pair);
	describe(conn, &connection);
	wr_init(&wr, body, sizeof(body));
	front_connection_encode(&wr, &connection);
	status = gate_send(front, FRONT_CONNECTION, conn->number, &wr, &pair[1], 1, err);
	fd_drop(&pair[1]);
	if (status < 0) {
		fd_drop(&pair[0]);
		return status;
	}
	*ret_fd = pair[0];
	return 0;
}

void front_tell_close(struct front *front, const struct conn *conn)
{
	const struct front_close message = {0};
	struct err err;
	uint8_t body[8];
	struct wr wr;

	if (!front_has_gate(front))
		return;
	wr_init(&wr, body, sizeof(body));
	front_close_encode(&wr, &message);
	err_ignore(gate_send(front, FRONT_CLOSE, conn->number, &wr, NULL, 0, &err),
		   "front_check_gate() sees the closed channel");
}

/* --- refusals ---------------------------------------------------------------------------- */

/* Kept while there is no gate; the table is bounded. */
static void refusals_send(struct front *front)
{
	struct refusals *refusals = &front->refusals;
	uint8_t body[1024];
	struct err err;

	if (!front_has_gate(front))
		return;
	for (size_t i = 0; i < refusals->count; i++) {
		const struct refusal_entry *entry = &refusals->entries[i];
		const char *detail = entry->detail != NULL ? entry->detail : "";
		struct wr wr;

		log_event(LOG_INFO, "handshake_refused",
			  LOG_STR("reason", tls_refusal_name(entry->message.refusal)),
			  LOG_INT("count", entry->message.count),
			  LOG_STR("peer", entry->message.peer),
			  LOG_STR("subject", entry->message.subject),
			  LOG_STR("detail", detail));
		wr_init(&wr, body, sizeof(body));
		front_refused_encode(&wr, &entry->message);
		if (gate_send(front, FRONT_REFUSED, 0, &wr, NULL, 0, &err) < 0) {
			gate_gone(front);
			return;
		}
	}
	refusals_clear(refusals);
}

static void refusals_fire(struct loop *loop, struct timer *timer)
{
	(void)loop;
	refusals_send(timer->owner);
}

static void log_crl_fault(struct front *front, const char *detail)
{
	uint64_t now = clock_mono_us();

	if (front->crl_fault_logged_us != 0 && now - front->crl_fault_logged_us < CRL_LOG_US)
		return;
	front->crl_fault_logged_us = now;
	log_event(LOG_ERROR, "crl_unusable", LOG_STR("why", detail),
		  LOG_STR("effect", "every client certificate is refused"),
		  LOG_STR("remedy", "install a current CRL and send SIGHUP"));
}

void front_refused(struct front *front, const struct conn *conn, uint8_t refusal,
		   const char *detail)
{
	char address[LIMIT_PEER_BYTES + 1];
	char *port;

	memcpy(address, conn->peer, sizeof(address));
	port = strrchr(address, ':');
	if (port != NULL)
		*port = '\0';
	if (tls_is_crl_fault(conn->info.verify_error))
		log_crl_fault(front, detail);
	refusals_add(&front->refusals, refusal, address, conn->info.subject, detail);
	if (!front->refusals_due.is_armed)
		loop_timer_start(&front->loop, &front->refusals_due, REFUSALS_MS * 1000);
}

/* --- life -------------------------------------------------------------------------------- */

static void drain_check(struct front *front)
{
	if (!front->is_draining || front->conn_count > 0 || front->drained == NULL)
		return;
	loop_timer_stop(&front->loop, &front->drain_deadline);
	refusals_send(front);
	front->drained(front);
	front->drained = NULL;
}

void front_connection_gone(struct front *front)
{
	front->conn_count--;
	front_update_accepting(front);
	drain_check(front);
}

static void drain_over(struct loop *loop, struct timer *timer)
{
	struct front *front = timer->owner;

	(void)loop;
	if (front->conns[CONN_OPEN].first != NULL)
		log_event(LOG_WARN, "drain_deadline", LOG_INT("cut_off", front->conn_count));
	for (int state = 0; state < CONN_STATE_COUNT; state++)
		drop_all(front, (enum conn_state)state);
}

void front_drain(struct front *front, uint32_t deadline_ms)
{
	front->is_draining = true;
	loop_unwatch(&front->loop, &front->listener);
	fd_drop(&front->listener_fd);
	loop_timer_start(&front->loop, &front->drain_deadline, (uint64_t)deadline_ms * 1000);
	/* Nobody has read a request of theirs. */
	drop_all(front, CONN_HANDSHAKE);
	drop_all(front, CONN_WAITING);
	drain_check(front);
}

int front_init(struct front *front, struct err *err)
{
	uint8_t salt[16];

	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return err_errno(err, errno, "getrandom");
	*front = (struct front){
		.supervisor.fd = -1,
		.gate.fd = -1,
		.listener_fd = -1,
		.listener = {.fd = -1, .ready = listener_ready, .owner = front},
		.accept_pause = {.fire = accept_again, .owner = front},
		.drain_deadline = {.fire = drain_over, .owner = front},
		.refusals_due = {.fire = refusals_fire, .owner = front},
	};
	addresses_init(&front->addresses, salt);
	trust_init(front);
	return loop_init(&front->loop, err);
}

void front_done(struct front *front)
{
	front->drained = NULL;
	for (int state = 0; state < CONN_STATE_COUNT; state++)
		drop_all(front, (enum conn_state)state);
	loop_unwatch(&front->loop, &front->listener);
	fd_drop(&front->listener_fd);
	chan_close(&front->gate);
	chan_close(&front->supervisor);
	SSL_CTX_free(front->tls);
	loop_done(&front->loop);
}
