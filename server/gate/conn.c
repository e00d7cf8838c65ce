#include "server/gate/conn.h"

#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/gate/engine.h"
#include "server/gate/ledger.h"
#include "server/gate/request.h"

static void outer_ready(struct loop *loop, struct watch *watch, uint32_t events);
static void inner_ready(struct loop *loop, struct watch *watch, uint32_t events);

/* --- beginning and end ------------------------------------------------------------------- */

/* Goes round, so that a slot rests before it is used again. */
static int slot_find(struct gate *gate, uint32_t *ret)
{
	for (uint32_t tries = 0; tries < GATE_SLOTS; tries++) {
		uint32_t slot = gate->conns_next++ % GATE_SLOTS;

		if (gate->conns[slot] == NULL) {
			*ret = slot;
			return 0;
		}
	}
	return -EMFILE;
}

static void request_counted(struct conn *conn)
{
	conn->is_counted = true;
	conn->gate->metrics.requests_in_flight++;
}

static struct conn **number_bucket(struct gate *gate, uint64_t number)
{
	return &gate->by_number[number % GATE_NUMBER_BUCKETS];
}

struct conn *conn_of_number(struct gate *gate, uint64_t number)
{
	struct conn *conn = number != 0 ? *number_bucket(gate, number) : NULL;

	while (conn != NULL && conn->number != number)
		conn = conn->next_by_number;
	return conn;
}

static void number_take(struct conn *conn, uint64_t number)
{
	struct conn **bucket = number_bucket(conn->gate, number);

	if (number == 0)
		return;
	conn->number = number;
	conn->next_by_number = *bucket;
	*bucket = conn;
}

static void number_drop(struct conn *conn)
{
	struct conn **link = number_bucket(conn->gate, conn->number);

	if (conn->number == 0)
		return;
	while (*link != conn)
		link = &(*link)->next_by_number;
	*link = conn->next_by_number;
	conn->number = 0;
}

int conn_new(struct gate *gate, enum listener listener, int take_fd,
	     const struct front_connection *who, uint64_t number, struct err *err)
{
	own_fd fd = take_fd;
	uint32_t slot;
	struct conn *conn;

	if (slot_find(gate, &slot) < 0)
		return err_set(err, EMFILE, "no free slot for a connection");
	conn = calloc(1, sizeof(*conn));
	if (conn == NULL)
		return err_set(err, ENOMEM, "no memory for a connection");
	conn->gate = gate;
	conn->slot = slot;
	conn->listener = listener;
	if (who != NULL) {
		conn->who = *who;
		conn->caller = caller_join(&gate->callers, who);
		if (conn->caller == NULL) {
			free(conn);
			return err_set(err, ENOMEM, "no memory for a caller");
		}
	}
	conn->outer = (struct watch){.fd = -1, .ready = outer_ready, .owner = conn};
	conn->inner = (struct watch){.fd = -1, .ready = inner_ready, .owner = conn};
	conn->inner_fd = -1;
	conn->body_fd = -1;
	buf_init(&conn->held, GATE_SCRATCH_BYTES);
	buf_init(&conn->unsent, GATE_SCRATCH_BYTES);
	if (loop_watch(&gate->loop, &conn->outer, fd, EPOLLIN | EPOLLRDHUP, err) < 0) {
		caller_leave(&gate->callers, conn->caller);
		free(conn);
		return -err->code;
	}
	conn->outer_fd = fd_take(&fd);
	gate->conns[slot] = conn;
	number_take(conn, number);
	gate->metrics.connections++;
	gate->metrics.connections_open[listener]++;
	deadline_start(&gate->deadlines, &conn->deadline, DEADLINE_IDLE);
	return 0;
}

static void request_over(struct conn *conn)
{
	if (conn->is_counted)
		conn->gate->metrics.requests_in_flight--;
	conn->is_counted = false;
	caller_drop_answer(&conn->gate->callers, conn->caller, conn->answer_kept);
	conn->answer_kept = 0;
	free(conn->file);
	conn->file = NULL;
}

void conn_drop_body(struct conn *conn)
{
	fd_drop(&conn->body_fd);
	caller_drop_body(&conn->gate->callers, conn->caller, conn->body_kept);
	conn->body_kept = 0;
}

void conn_drop(struct conn *conn)
{
	struct gate *gate = conn->gate;

	if (conn->is_dead)
		return;
	conn->is_dead = true;
	number_drop(conn);
	ledger_forget(conn);
	request_over(conn);
	deadline_stop(&gate->deadlines, &conn->deadline);
	engine_release(conn);
	loop_unwatch(&gate->loop, &conn->outer);
	fd_drop(&conn->outer_fd);
	conn_drop_body(conn);
	caller_leave(&gate->callers, conn->caller);
	conn->caller = NULL;
	buf_done(&conn->held);
	buf_done(&conn->unsent);
	gate->metrics.connections_open[conn->listener]--;
	if (!conn->has_engine)
		conn_let_go(conn);
}

void conn_let_go(struct conn *conn)
{
	conn->next_dead = conn->gate->dead;
	conn->gate->dead = conn;
}

void conn_bury(struct gate *gate)
{
	while (gate->dead != NULL) {
		struct conn *conn = gate->dead;

		gate->dead = conn->next_dead;
		gate->conns[conn->slot] = NULL;
		free(conn);
	}
}

bool conn_is_idle(const struct conn *conn)
{
	return conn->state == CONN_HEAD && conn->scan.at == 0;
}

void conn_drop_idle(struct gate *gate)
{
	for (uint32_t slot = 0; slot < GATE_SLOTS; slot++) {
		struct conn *conn = gate->conns[slot];

		if (conn != NULL && !conn->is_dead && conn->listener == LISTENER_MAIN &&
		    conn_is_idle(conn))
			conn_drop(conn);
	}
}

void conn_end(struct conn *conn)
{
	conn->request.is_kept = false;
	if (conn->state == CONN_HEAD || conn->state == CONN_BODY)
		conn_drop(conn); /* no answer is on its way */
}

struct conn *conn_asking(struct gate *gate, uint64_t ask_id)
{
	uint32_t slot = (uint32_t)ask_id;
	struct conn *conn = slot < GATE_SLOTS ? gate->conns[slot] : NULL;

	if (conn == NULL || conn->is_dead || conn->ask == ASK_NOTHING || conn->ask_id != ask_id)
		return NULL;
	return conn;
}

/* --- what the connection waits for ------------------------------------------------------- */

static bool is_reading(const struct conn *conn)
{
	return conn->state == CONN_HEAD || conn->state == CONN_BODY ||
	       conn->state == CONN_LINGER;
}

/* While the caller does not take what is there, the engine's stream is not even watched: its
 * hang-up would be reported again and again. */
static int inner_watch(struct conn *conn, bool is_blocked, struct err *err)
{
	if (conn->inner_fd < 0 || is_blocked == (conn->inner.fd < 0))
		return 0;
	if (!is_blocked)
		return loop_watch(&conn->gate->loop, &conn->inner, conn->inner_fd, EPOLLIN,
				  err);
	loop_unwatch(&conn->gate->loop, &conn->inner);
	return 0;
}

/* Sets the events of both streams from the state. The caller's stream stays readable while a
 * request is answered, unless he uses that (pipelining): one system call less a request. */
static void conn_watch(struct conn *conn)
{
	uint32_t outer = 0;
	bool is_blocked = conn->unsent.length > conn->unsent_at;
	struct err err;

	if (conn->is_dead)
		return;
	if (is_reading(conn))
		conn->is_muted = false;
	if (!conn->is_muted)
		outer |= EPOLLIN;
	if (!conn->has_hung_up)
		outer |= EPOLLRDHUP;
	if (is_blocked)
		outer |= EPOLLOUT;
	if (loop_watch_events(&conn->gate->loop, &conn->outer, outer, &err) < 0 ||
	    inner_watch(conn, is_blocked, &err) < 0)
		conn_drop(conn);
}

/* --- bytes in ---------------------------------------------------------------------------- */

static size_t take_head(struct conn *conn, const char *data, size_t length)
{
	struct gate *gate = conn->gate;
	struct head_fault fault = {0, ""};
	struct head head;

	if (conn->scan.at == 0)
		conn->request.started_us = clock_mono_us();
	switch (head_scan(&conn->scan, data, length, &fault)) {
	case HEAD_MORE:
		if (conn->deadline.kind != DEADLINE_HEAD || !conn->deadline.is_armed)
			deadline_start(&gate->deadlines, &conn->deadline, DEADLINE_HEAD);
		return 0;
	case HEAD_REFUSED:
		request_counted(conn);
		request_refuse_head(conn, NULL, &fault);
		return length;
	case HEAD_WHOLE:
		break;
	}
	deadline_stop(&gate->deadlines, &conn->deadline);
	request_counted(conn);
	if (head_parse(data + conn->scan.start, conn->scan.end - conn->scan.start, &head,
		       &fault))
		request_begin(conn, &head);
	else
		request_refuse_head(conn, &head, &fault);
	if (conn->state == CONN_BODY)
		deadline_start(&gate->deadlines, &conn->deadline, DEADLINE_BODY);
	return conn->scan.end;
}

static size_t take_body(struct conn *conn, const char *data, size_t length)
{
	size_t wanted = conn->body_left < length ? (size_t)conn->body_left : length;
	enum caller_verdict verdict;
	size_t done = 0;

	verdict = caller_hold_body(&conn->gate->callers, conn->caller, wanted,
				   conn->gate->config.body_bytes_max);
	if (verdict != CALLER_GOOD) {
		request_refuse_body(conn, verdict);
		return length;
	}
	conn->body_kept += wanted;
	while (done < wanted) {
		ssize_t wrote = write(conn->body_fd, data + done, wanted - done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0) {
			log_event(LOG_ERROR, "body_not_kept",
				  LOG_STR("error", strerror(errno)));
			conn_drop(conn);
			return length;
		}
		done += (size_t)wrote;
	}
	conn->body_left -= wanted;
	if (conn->body_left == 0) {
		deadline_stop(&conn->gate->deadlines, &conn->deadline);
		request_body_done(conn);
	}
	return wanted;
}

/* Serves as many of the bytes as the state allows and holds the rest. */
static void consume(struct conn *conn, const char *data, size_t length)
{
	size_t at = 0;

	while (at < length && !conn->is_dead && is_reading(conn)) {
		size_t used = length - at;

		if (conn->state == CONN_HEAD)
			used = take_head(conn, data + at, length - at);
		else if (conn->state == CONN_BODY)
			used = take_body(conn, data + at, length - at);
		if (used == 0)
			break;
		at += used;
	}
	/* After a refusal that closes, the rest has no meaning any more. */
	if (conn->is_dead || (conn->state == CONN_ANSWER && !conn->request.is_kept))
		return;
	if (at < length)
		buf_add(&conn->held, data + at, length - at);
}

/* `data` may lie in conn->held, so it is moved to the scratch space before it is read. */
static void consume_held(struct conn *conn, size_t received)
{
	size_t held = conn->held.length;
	char *scratch = conn->gate->scratch;

	if (held > 0)
		memcpy(scratch, conn->held.data, held);
	buf_done(&conn->held);
	consume(conn, scratch, held + received);
}

static void receive(struct conn *conn)
{
	size_t held = conn->held.length;
	ssize_t received;

	received = recv(conn->outer_fd, conn->gate->scratch + held, GATE_SCRATCH_BYTES - held,
			MSG_DONTWAIT);
	if (received < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (received <= 0) {
		conn_drop(conn);
		return;
	}
	if (held == 0)
		consume(conn, conn->gate->scratch, (size_t)received);
	else
		consume_held(conn, (size_t)received);
}

/* --- bytes out --------------------------------------------------------------------------- */

/* 1: all is out; 0: the caller's socket is full; -1: dropped. */
static int flush(struct conn *conn)
{
	while (conn->unsent_at < conn->unsent.length) {
		ssize_t sent = send(conn->outer_fd, conn->unsent.data + conn->unsent_at,
				    conn->unsent.length - conn->unsent_at,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return 0;
		if (sent < 0) {
			conn_drop(conn);
			return -1;
		}
		conn->unsent_at += (size_t)sent;
		conn->sent_bytes += (size_t)sent;
	}
	if (conn->unsent.data != NULL)
		buf_done(&conn->unsent);
	conn->unsent_at = 0;
	return 1;
}

/* Sends from the scratch space, keeps what the socket does not take. */
static int forward(struct conn *conn, const char *data, size_t length)
{
	ssize_t sent = send(conn->outer_fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		conn_drop(conn);
		return -1;
	}
	if (sent < 0)
		sent = 0;
	conn->sent_bytes += (size_t)sent;
	if ((size_t)sent == length)
		return 1;
	buf_add(&conn->unsent, data + sent, length - (size_t)sent);
	return 0;
}

/* Our side is closed; the caller gets a moment to read the answer before his bytes are refused.
 */
static void begin_linger(struct conn *conn)
{
	engine_release(conn);
	if (conn->has_hung_up || shutdown(conn->outer_fd, SHUT_WR) != 0) {
		conn_drop(conn);
		return;
	}
	buf_done(&conn->held);
	conn->state = CONN_LINGER;
	deadline_start(&conn->gate->deadlines, &conn->deadline, DEADLINE_LINGER);
	conn_watch(conn);
}

static void begin_next(struct conn *conn)
{
	conn->state = CONN_HEAD;
	conn->scan = (struct head_scan){0};
	conn->is_answered = false;
	deadline_start(&conn->gate->deadlines, &conn->deadline, DEADLINE_IDLE);
	if (conn->held.length > 0)
		consume_held(conn, 0);
	if (!conn->is_dead && conn_is_idle(conn) && conn->gate->is_draining &&
	    conn->listener == LISTENER_MAIN) {
		conn_drop(conn);
		return;
	}
	conn_watch(conn);
}

static void answer_out(struct conn *conn)
{
	request_over(conn);
	if (conn->request.is_kept)
		begin_next(conn);
	else
		begin_linger(conn);
}

enum relayed { RELAY_MORE, RELAY_EMPTY, RELAY_BLOCKED };

/* One piece of the answer. RELAY_EMPTY: the engine has nothing to give now. */
static enum relayed relay_piece(struct conn *conn)
{
	char *scratch = conn->gate->scratch;
	ssize_t received = recv(conn->inner_fd, scratch, GATE_READ_BYTES, MSG_DONTWAIT);

	if (received < 0 && errno == EINTR)
		return RELAY_MORE;
	if (received < 0 && errno == EAGAIN)
		return RELAY_EMPTY;
	/* The engine closed; before the end of the answer that is a failure. */
	if (received <= 0 && !conn->is_answered)
		conn_drop(conn);
	if (received <= 0)
		return RELAY_EMPTY;
	if (!conn->is_answered)
		conn->gate->is_engine_due = true; /* there is room for more of the answer */
	if (forward(conn, scratch, (size_t)received) <= 0)
		return RELAY_BLOCKED;
	/* A short read means that the engine's stream is empty. */
	return (size_t)received < GATE_READ_BYTES && conn->is_answered ? RELAY_EMPTY
								       : RELAY_MORE;
}

void conn_relay(struct conn *conn)
{
	enum relayed relayed = RELAY_MORE;

	if (conn->is_dead)
		return;
	if (flush(conn) <= 0)
		relayed = RELAY_BLOCKED;
	while (relayed == RELAY_MORE && conn->inner_fd >= 0 && conn->state == CONN_ANSWER)
		relayed = relay_piece(conn);
	if (!conn->is_dead && relayed != RELAY_BLOCKED && conn->state == CONN_ANSWER &&
	    conn->is_answered)
		answer_out(conn);
	else
		conn_watch(conn);
}

void conn_submit(struct conn *conn)
{
	struct err err = {0};

	conn->state = CONN_ANSWER;
	conn->sent_bytes = 0;
	conn->is_answered = false;
	if (conn->gate->is_draining && conn->listener == LISTENER_MAIN)
		conn->request.is_kept = false;
	deadline_start(&conn->gate->deadlines, &conn->deadline, DEADLINE_ANSWER);
	if (engine_submit(conn, &err) < 0) {
		log_event(LOG_ERROR, "answer_failed", LOG_STR("error", err.text));
		conn_drop(conn);
	}
}

/* --- events ------------------------------------------------------------------------------ */

/* The caller will send nothing more. While his execution runs that means he left: it is
 * cancelled. A look-up or an answer on its way is finished for those who only closed their
 * half. */
static void hung_up(struct conn *conn, uint32_t events)
{
	if ((events & (EPOLLHUP | EPOLLERR)) != 0 || conn->ask == ASKED_EXECUTE) {
		if (conn->ask == ASKED_EXECUTE)
			conn->gate->metrics.callers_left++;
		conn_drop(conn);
		return;
	}
	conn->has_hung_up = true;
	conn_watch(conn);
}

static void outer_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct conn *conn = watch->owner;

	(void)loop;
	if ((events & EPOLLOUT) != 0) {
		conn_relay(conn);
		if (conn->is_dead)
			return;
	}
	if (is_reading(conn)) {
		if ((events & ~(uint32_t)EPOLLOUT) != 0)
			receive(conn);
		if (!conn->is_dead && conn->state == CONN_BODY)
			(void)flush(conn); /* "100 Continue" */
		conn_watch(conn);
	} else if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
		hung_up(conn, events);
	} else if ((events & EPOLLIN) != 0) {
		conn->is_muted = true;
		conn_watch(conn);
	}
}

static void inner_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct conn *conn = watch->owner;

	(void)loop;
	if (conn->state == CONN_ANSWER)
		conn_relay(conn);
	else if ((events & (EPOLLHUP | EPOLLERR)) != 0)
		engine_release(conn); /* the next answer gets a new engine connection */
}

/* The answer's memory is held for the caller: he must take it at some rate. */
static void check_progress(struct conn *conn)
{
	struct gate *gate = conn->gate;
	uint64_t wanted = (uint64_t)gate->config.body_ms * GATE_ANSWER_RATE_MIN / 1000;

	if (conn->sent_bytes < wanted) {
		conn_drop(conn);
		return;
	}
	conn->sent_bytes = 0;
	deadline_start(&gate->deadlines, &conn->deadline, DEADLINE_ANSWER);
}

void conn_deadline_passed(void *owner, struct deadline *deadline)
{
	struct conn *conn = (struct conn *)((char *)deadline - offsetof(struct conn, deadline));

	(void)owner;
	switch (deadline->kind) {
	case DEADLINE_HEAD:
		request_counted(conn);
		request_timed_out(conn, "the head did not arrive in time");
		break;
	case DEADLINE_BODY:
		conn_drop_body(conn);
		request_timed_out(conn, "the body did not arrive in time");
		break;
	case DEADLINE_ASK:
	case DEADLINE_EXECUTE:
		ledger_timed_out(conn);
		break;
	case DEADLINE_ANSWER:
		check_progress(conn);
		break;
	case DEADLINE_IDLE:
	case DEADLINE_LINGER:
	case DEADLINE_KINDS:
		conn_drop(conn);
		break;
	}
}
