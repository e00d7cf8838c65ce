/*
 * Bytes between a caller and the gate. Per request and direction one read and one write: chunks
 * go through a shared scratch buffer, and only what the destination does not take is kept.
 */
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>

#include "server/front/conn.h"
#include "server/front/front.h"

/* Served for one connection before the others get their turn. */
#define BURST_BYTES (256 * 1024)

/* A gate that has finished while its caller reads slowly: so long may the rest take, ms. */
#define FLUSH_MS 30000

/* Pump results besides 0. */
enum { GONE = -1 };

static int chunk_keep(struct conn_chunk *chunk, const uint8_t *data, size_t length)
{
	chunk->data = malloc(length);
	if (chunk->data == NULL)
		return GONE;
	memcpy(chunk->data, data, length);
	chunk->at = 0;
	chunk->length = length;
	return 0;
}

static void chunk_done(struct conn_chunk *chunk)
{
	free(chunk->data);
	*chunk = (struct conn_chunk){0};
}

/* Bytes taken. A gate that reads no more (EPIPE) takes everything: it has answered already. */
static size_t send_to_gate(struct conn *conn, const uint8_t *data, size_t length)
{
	ssize_t sent;

	if (conn->has_gate_stopped)
		return length;
	sent = send(conn->gate_fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent >= 0)
		return (size_t)sent;
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
		return 0;
	conn->has_gate_stopped = true;
	return length;
}

static void flush_to_gate(struct conn *conn)
{
	struct conn_chunk *chunk = &conn->to_gate;

	if (chunk->data == NULL)
		return;
	chunk->at += send_to_gate(conn, chunk->data + chunk->at, chunk->length - chunk->at);
	if (chunk->at == chunk->length)
		chunk_done(chunk);
}

/* SSL_read() gave nothing: why? */
static int read_stopped(struct conn *conn, int result)
{
	switch (SSL_get_error(conn->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_WANT_WRITE:
		conn->wants_write = true;
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		conn->has_client_finished = true;
		(void)shutdown(conn->gate_fd, SHUT_WR);
		return 0;
	default:
		return GONE;
	}
}

/* Caller to gate. */
static int pump_in(struct conn *conn)
{
	uint8_t *scratch = conn->front->scratch;
	size_t moved = 0;

	flush_to_gate(conn);
	conn->wants_write = false;
	conn->has_buffered = false;
	while (conn->to_gate.data == NULL && !conn->has_client_finished && !conn->is_ending) {
		size_t sent;
		int got;

		ERR_clear_error();
		got = SSL_read(conn->ssl, scratch, CONN_TO_GATE_BYTES);
		if (got <= 0)
			return read_stopped(conn, got);
		sent = send_to_gate(conn, scratch, (size_t)got);
		if (sent < (size_t)got &&
		    chunk_keep(&conn->to_gate, scratch + sent, (size_t)got - sent) < 0)
			return GONE;
		/* Without this a further read(2) would only say EAGAIN. */
		if (SSL_has_pending(conn->ssl) == 0)
			return 0;
		moved += (size_t)got;
		if (moved >= BURST_BYTES) {
			conn->has_buffered = true;
			return 0;
		}
	}
	/* What OpenSSL holds already will not wake us; the gate's socket will, once writable.
	 */
	return 0;
}

/* Bytes taken, or GONE. */
static ssize_t write_to_client(struct conn *conn, const uint8_t *data, size_t length)
{
	size_t at = 0;

	while (at < length) {
		int wrote;
		int reason;

		ERR_clear_error();
		wrote = SSL_write(conn->ssl, data + at, (int)(length - at));
		if (wrote > 0) {
			at += (size_t)wrote;
			continue;
		}
		reason = SSL_get_error(conn->ssl, wrote);
		if (reason == SSL_ERROR_WANT_WRITE)
			break;
		return GONE;
	}
	return (ssize_t)at;
}

static int flush_to_client(struct conn *conn)
{
	struct conn_chunk *chunk = &conn->to_client;
	ssize_t wrote;

	if (chunk->data == NULL)
		return 0;
	wrote = write_to_client(conn, chunk->data + chunk->at, chunk->length - chunk->at);
	if (wrote < 0)
		return GONE;
	chunk->at += (size_t)wrote;
	if (chunk->at == chunk->length)
		chunk_done(chunk);
	return 0;
}

/* Gate to caller. */
static int pump_out(struct conn *conn)
{
	uint8_t *scratch = conn->front->scratch;
	size_t moved = 0;

	if (flush_to_client(conn) < 0)
		return GONE;
	while (conn->to_client.data == NULL && !conn->has_gate_finished) {
		ssize_t got = recv(conn->gate_fd, scratch, CONN_TO_CLIENT_BYTES, MSG_DONTWAIT);
		ssize_t wrote;

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (got <= 0) { /* ECONNRESET: it closed with bytes of ours unread */
			conn->has_gate_finished = true;
			return 0;
		}
		wrote = write_to_client(conn, scratch, (size_t)got);
		if (wrote < 0)
			return GONE;
		if (wrote < got &&
		    chunk_keep(&conn->to_client, scratch + wrote, (size_t)(got - wrote)) < 0)
			return GONE;
		moved += (size_t)got;
		/* After a hang-up nothing wakes us for the rest, which is bounded: read on. */
		if (conn->gate.fd >= 0 && (got < CONN_TO_CLIENT_BYTES || moved >= BURST_BYTES))
			return 0;
	}
	return 0;
}

static int update_events(struct conn *conn)
{
	struct loop *loop = &conn->front->loop;
	uint32_t client = EPOLLRDHUP;
	uint32_t gate = 0;
	struct err err;

	if (conn->to_gate.data == NULL && !conn->has_client_finished && !conn->has_buffered &&
	    conn->gate.fd >= 0 && !conn->is_ending)
		client |= EPOLLIN;
	if (conn->to_client.data != NULL || conn->wants_write)
		client |= EPOLLOUT;
	if (conn->to_client.data == NULL)
		gate |= EPOLLIN;
	if (conn->to_gate.data != NULL || conn->has_buffered)
		gate |= EPOLLOUT;
	if (loop_watch_events(loop, &conn->client, client, &err) < 0)
		return GONE;
	if (conn->gate.fd >= 0 && loop_watch_events(loop, &conn->gate, gate, &err) < 0)
		return GONE;
	return 0;
}

/* The gate takes nothing more. Its socket would report the hang-up without end, so it is
 * watched no longer; a caller who does not fetch the rest in time is cut off. */
static void gate_hung_up(struct conn *conn)
{
	struct loop *loop = &conn->front->loop;

	if (conn->gate.fd < 0)
		return;
	loop_unwatch(loop, &conn->gate);
	conn->has_gate_stopped = true;
	conn->has_buffered = false;
	chunk_done(&conn->to_gate);
	loop_timer_start(loop, &conn->deadline, FLUSH_MS * 1000);
}

static void settle(struct conn *conn, int status)
{
	if (status == 0 && conn->has_gate_finished && conn->to_client.data == NULL) {
		ERR_clear_error();
		(void)SSL_shutdown(
			conn->ssl); /* close_notify; the caller's is not waited for */
		conn_linger(conn);
		return;
	}
	if (conn->has_gate_finished)
		gate_hung_up(conn);
	if (status < 0 || update_events(conn) < 0)
		conn_drop(conn);
}

void shuttle_client_ready(struct conn *conn, uint32_t events)
{
	int status = 0;

	/* He has left. The gate must hear of it now: a job may be running for nobody. */
	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
		conn_drop(conn);
		return;
	}
	if ((events & EPOLLOUT) != 0)
		status = pump_out(conn);
	if (status == 0 && ((events & EPOLLIN) != 0 || conn->wants_write))
		status = pump_in(conn);
	settle(conn, status);
}

void shuttle_gate_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct conn *conn = watch->owner;
	int status = 0;

	(void)loop;
	if ((events & EPOLLOUT) != 0)
		status = pump_in(conn);
	if ((events & (EPOLLHUP | EPOLLERR)) != 0)
		gate_hung_up(conn);
	if (status == 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		status = pump_out(conn);
	settle(conn, status);
}

void shuttle_update(struct conn *conn)
{
	if (update_events(conn) < 0)
		conn_drop(conn);
}

void shuttle_start(struct conn *conn)
{
	/* The first request may have come with the end of the handshake. */
	settle(conn, pump_in(conn));
}
