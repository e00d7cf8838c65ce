#include "server/front/conn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "server/front/front.h"
#include "server/front/identity.h"

#define LINGER_MS	   2000 /* a caller far away reads the alert within one round trip */
#define LINGER_DRAINING_MS 200	/* the service is about to end */
#define LINGER_BYTES_MAX   (1024 * 1024) /* as much of a refused upload is read and dropped */

/* Keep-alive probes find a caller whose machine vanished: after 30 s, three times 10 s apart.
 */
#define PROBE_IDLE_S	 30
#define PROBE_INTERVAL_S 10
#define PROBE_COUNT	 3
/* An answer on its way when the certificate ends may take the longest execution, with the
 * longest wait in the queue before and a minute to be written; the gate ends it earlier, ms. */
#define ENDING_MS (LIMIT_WALL_MS_MAX + 600000ull + 60000ull)

/* Sent bytes nobody acknowledges for this long end the connection, ms. */
#define UNACKNOWLEDGED_MS 60000

static const char not_tls_answer[] =
	"HTTP/1.1 400 Bad Request\r\n"
	"Content-Type: text/plain; charset=utf-8\r\n"
	"Content-Length: 75\r\n"
	"Connection: close\r\n"
	"\r\n"
	"This port speaks HTTPS with a client certificate: use https:// and --cert.\n";

static void list_add(struct conn_list *list, struct conn *conn)
{
	conn->next = NULL;
	conn->previous = list->last;
	if (list->last != NULL)
		list->last->next = conn;
	else
		list->first = conn;
	list->last = conn;
}

static void list_remove(struct conn_list *list, struct conn *conn)
{
	if (conn->previous != NULL)
		conn->previous->next = conn->next;
	else
		list->first = conn->next;
	if (conn->next != NULL)
		conn->next->previous = conn->previous;
	else
		list->last = conn->previous;
}

static void conn_become(struct conn *conn, enum conn_state state)
{
	addresses_remove(&conn->front->addresses, &conn->address);
	list_remove(&conn->front->conns[conn->state], conn);
	conn->state = state;
	list_add(&conn->front->conns[state], conn);
}

static void chunk_drop(struct conn_chunk *chunk)
{
	free(chunk->data);
	*chunk = (struct conn_chunk){0};
}

/* Ends TLS and the gate's side; the caller's socket stays. */
static void conn_strip(struct conn *conn)
{
	struct loop *loop = &conn->front->loop;

	loop_timer_stop(loop, &conn->deadline);
	loop_unwatch(loop, &conn->gate);
	fd_drop(&conn->gate_fd);
	SSL_free(conn->ssl);
	conn->ssl = NULL;
	chunk_drop(&conn->to_gate);
	chunk_drop(&conn->to_client);
}

void conn_drop(struct conn *conn)
{
	struct front *front = conn->front;

	conn_strip(conn);
	loop_unwatch(&front->loop, &conn->client);
	fd_drop(&conn->client_fd);
	addresses_remove(&front->addresses, &conn->address);
	list_remove(&front->conns[conn->state], conn);
	free(conn);
	front_connection_gone(front);
}

void conn_linger(struct conn *conn)
{
	struct front *front = conn->front;
	uint64_t wait_ms = front->is_draining ? LINGER_DRAINING_MS : LINGER_MS;
	struct err err;

	conn_strip(conn);
	if (shutdown(conn->client_fd, SHUT_WR) != 0 ||
	    loop_watch_events(&front->loop, &conn->client, EPOLLIN | EPOLLRDHUP, &err) < 0) {
		conn_drop(conn);
		return;
	}
	conn_become(conn, CONN_LINGER);
	loop_timer_start(&front->loop, &conn->deadline, wait_ms * 1000);
}

static void linger_ready(struct conn *conn)
{
	ssize_t got =
		recv(conn->client_fd, conn->front->scratch, sizeof(conn->front->scratch), 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got > 0)
		conn->discarded_bytes += (size_t)got;
	if (got <= 0 || conn->discarded_bytes > LINGER_BYTES_MAX)
		conn_drop(conn);
}

static void handshake_refused(struct conn *conn)
{
	const char *detail;
	uint8_t refusal = tls_refusal(&conn->info, &detail);

	/* A port probe of a load balancer: connected and closed without a word. */
	if (BIO_number_read(SSL_get_rbio(conn->ssl)) == 0) {
		conn_drop(conn);
		return;
	}
	front_refused(conn->front, conn, refusal, detail);
	if (refusal == TLS_REFUSAL_NOT_TLS &&
	    send(conn->client_fd, not_tls_answer, sizeof(not_tls_answer) - 1,
		 MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		conn_drop(conn);
		return;
	}
	conn_linger(conn);
}

/* OpenSSL has verified the certificate; that it did is checked once more, because everything
 * behind this line believes in it. */
static void handshake_done(struct conn *conn)
{
	struct loop *loop = &conn->front->loop;
	struct err err;

	if (SSL_get_verify_result(conn->ssl) != X509_V_OK ||
	    SSL_get0_peer_certificate(conn->ssl) == NULL ||
	    SSL_session_reused(conn->ssl) != 0) {
		front_refused(conn->front, conn, TLS_REFUSAL_BAD_CERTIFICATE, "not verified");
		conn_drop(conn);
		return;
	}
	conn_become(conn, CONN_WAITING);
	if (loop_watch_events(loop, &conn->client, EPOLLRDHUP, &err) < 0) {
		conn_drop(conn);
		return;
	}
	if (front_has_gate(conn->front))
		conn_attach(conn);
}

static void handshake_ready(struct conn *conn, uint32_t events)
{
	struct err err;
	uint32_t wanted;
	int result;

	ERR_clear_error();
	result = SSL_accept(conn->ssl);
	if (result == 1) {
		handshake_done(conn);
		return;
	}
	switch (SSL_get_error(conn->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		wanted = EPOLLIN | EPOLLRDHUP;
		break;
	case SSL_ERROR_WANT_WRITE:
		wanted = EPOLLOUT | EPOLLRDHUP;
		break;
	default:
		handshake_refused(conn);
		return;
	}
	/* Who has gone cannot take what we want to write. */
	if ((events & (EPOLLHUP | EPOLLERR)) != 0 ||
	    ((events & EPOLLRDHUP) != 0 && (wanted & EPOLLOUT) != 0) ||
	    loop_watch_events(&conn->front->loop, &conn->client, wanted, &err) < 0)
		conn_drop(conn);
}

void conn_end(struct conn *conn, int verify_error)
{
	struct front *front = conn->front;
	const char *detail;
	uint8_t refusal;

	if (conn->is_ending)
		return;
	conn->info.verify_error = verify_error;
	identity_subject(SSL_get0_peer_certificate(conn->ssl), conn->info.subject);
	refusal = tls_refusal(&conn->info, &detail);
	front_refused(front, conn, refusal, detail);
	if (conn->state != CONN_OPEN) {
		conn_drop(conn);
		return;
	}
	conn->is_ending = true;
	front_tell_close(front, conn);
	if (!conn->has_gate_finished)
		loop_timer_start(&front->loop, &conn->deadline, ENDING_MS * 1000);
	shuttle_update(conn);
}

void conn_judge(struct conn *conn)
{
	struct front *front = conn->front;
	int verify_error = tls_judge(front->tls, conn->ssl);

	conn->tls_generation = front->tls_generation;
	conn_become(conn, CONN_OPEN);
	if (verify_error != X509_V_OK)
		conn_end(conn, verify_error);
}

void conn_attach(struct conn *conn)
{
	struct front *front = conn->front;
	int verify_error = X509_V_OK;
	struct err err;
	int status;

	/* The keys were exchanged during its handshake, or while it waited. */
	if (conn->tls_generation != front->tls_generation)
		verify_error = tls_judge(front->tls, conn->ssl);
	if (verify_error != X509_V_OK) {
		conn_end(conn, verify_error);
		return;
	}
	conn->tls_generation = front->tls_generation;
	status = front_introduce(front, conn, &conn->gate_fd, &err);
	if (status == 0)
		status = loop_watch(&front->loop, &conn->gate, conn->gate_fd, EPOLLIN, &err);
	if (status < 0) {
		log_event(LOG_WARN, "connection_not_handed_on", LOG_STR("peer", conn->peer),
			  LOG_STR("why", err.text));
		conn_drop(conn);
		front_check_gate(front);
		return;
	}
	loop_timer_stop(&front->loop, &conn->deadline);
	conn_become(conn, CONN_OPEN);
	trust_watch(front, conn);
	shuttle_start(conn);
}

static void client_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct conn *conn = watch->owner;

	(void)loop;
	switch (conn->state) {
	case CONN_HANDSHAKE:
		handshake_ready(conn, events);
		break;
	case CONN_OPEN:
		shuttle_client_ready(conn, events);
		break;
	case CONN_LINGER:
		linger_ready(conn);
		break;
	default:
		conn_drop(conn); /* left while he waited for the gate */
		break;
	}
}

static void deadline_fire(struct loop *loop, struct timer *timer)
{
	struct conn *conn = timer->owner;

	(void)loop;
	if (conn->state == CONN_HANDSHAKE)
		front_refused(conn->front, conn, TLS_REFUSAL_TIMEOUT, "handshake too slow");
	conn_drop(conn);
}

static void format_peer(const struct sockaddr_storage *address, char ret[LIMIT_PEER_BYTES + 1])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	char text[INET6_ADDRSTRLEN] = "";

	if (address->ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		(void)snprintf(ret, LIMIT_PEER_BYTES + 1, "%s:%u", text, ntohs(v4->sin_port));
	} else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		(void)inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, sizeof(text));
		(void)snprintf(ret, LIMIT_PEER_BYTES + 1, "%s:%u", text, ntohs(v6->sin6_port));
	} else if (address->ss_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		(void)snprintf(ret, LIMIT_PEER_BYTES + 1, "[%s]:%u", text,
			       ntohs(v6->sin6_port));
	} else {
		(void)snprintf(ret, LIMIT_PEER_BYTES + 1, "local");
	}
}

/* Best effort by nature: a socket without these still works, only later or slower. */
static void tune_socket(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, PROBE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, PROBE_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, PROBE_COUNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS},
	};

	for (size_t i = 0; i < ARRAY_COUNT(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof(options[i].value));
}

static SSL *start_tls(struct front *front, struct conn *conn, int fd)
{
	SSL *ssl = SSL_new(front->tls);

	if (ssl == NULL)
		return NULL;
	if (SSL_set_fd(ssl, fd) != 1 || SSL_set_app_data(ssl, &conn->info) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}

struct conn *conn_new(struct front *front, int take_fd, const struct sockaddr_storage *address)
{
	own_fd fd = take_fd;
	own_mem struct conn *conn = calloc(1, sizeof(*conn));
	struct err err;

	if (conn == NULL)
		return NULL;
	conn->front = front;
	conn->gate_fd = -1;
	conn->address.owner = conn;
	conn->number = ++front->last_number;
	conn->tls_generation = front->tls_generation;
	conn->client = (struct watch){.fd = -1, .ready = client_ready, .owner = conn};
	conn->gate = (struct watch){.fd = -1, .ready = shuttle_gate_ready, .owner = conn};
	conn->deadline = (struct timer){.fire = deadline_fire, .owner = conn};
	format_peer(address, conn->peer);
	tune_socket(fd);
	conn->ssl = start_tls(front, conn, fd);
	if (conn->ssl == NULL)
		return NULL;
	if (loop_watch(&front->loop, &conn->client, fd, EPOLLIN | EPOLLRDHUP, &err) < 0) {
		SSL_free(conn->ssl);
		return NULL;
	}
	conn->client_fd = fd_take(&fd);
	loop_timer_start(&front->loop, &conn->deadline, (uint64_t)front->handshake_ms * 1000);
	list_add(&front->conns[CONN_HANDSHAKE], conn);
	return mem_take(&conn);
}
