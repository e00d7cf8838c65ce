/*
 * Where connections come from: the front, with an identity it vouches for, and the operations
 * listener, without one. A front that sends anything malformed is dropped; the connections it
 * has handed over go on, because nothing about them depends on it any more.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "server/gate/conn.h"
#include "server/gate/ledger.h"

#define ACCEPTS_MAX   16 /* per wake-up */
#define CHANNEL_STATE 1

static void lost(struct gate *gate, const char *why)
{
	log_event(LOG_ERROR, "front_lost", LOG_STR("why", why));
	chan_close(&gate->front);
	setup_say_front_lost(gate);
}

static void channel_lost(struct chan *chan, const struct err *why)
{
	lost(chan->owner, why->text);
}

/* What comes with a connection must be a connected local stream and nothing else. */
static int check_stream(int fd, struct err *err)
{
	int domain = 0;
	int type = 0;
	socklen_t length = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0)
		return err_errno(err, errno, "inspect a connection");
	if (domain != AF_UNIX || type != SOCK_STREAM)
		return err_set(err, EPROTO, "a connection that is not a local stream");
	return 0;
}

static int serve_connection(void *owner, struct msg *msg, struct err *err)
{
	struct gate *gate = owner;
	own_fd fd = msg_take_fd(msg, 0);
	struct front_connection who;

	if (front_connection_decode(msg->body, msg->length, &who, err) < 0 ||
	    check_stream(fd, err) < 0)
		return -EPROTO;
	if ((who.identity_kind == 0) != (who.identity[0] == '\0'))
		return err_set(err, EPROTO, "identity and its kind contradict each other");
	if (gate->metrics.connections_open[LISTENER_MAIN] >= gate->config.connections_max) {
		gate->metrics.connections_refused++;
		return 0;
	}
	/* No memory for one connection is no fault of the front's. */
	if (conn_new(gate, LISTENER_MAIN, fd_take(&fd), &who, msg->id, err) < 0) {
		gate->metrics.connections_refused++;
		log_event(LOG_WARN, "connection_refused", LOG_STR("error", err->text));
	}
	return 0;
}

static int serve_refused(void *owner, struct msg *msg, struct err *err)
{
	struct gate *gate = owner;
	struct front_refused refused;

	if (front_refused_decode(msg->body, msg->length, &refused, err) < 0)
		return -EPROTO;
	gate->metrics.tls_refused[refused.refusal] += refused.count;
	ledger_tell_refused(gate, &refused);
	return 0;
}

static int serve_close(void *owner, struct msg *msg, struct err *err)
{
	struct front_close message;
	struct conn *conn;

	if (front_close_decode(msg->body, msg->length, &message, err) < 0)
		return -EPROTO;
	conn = conn_of_number(owner, msg->id);
	if (conn != NULL)
		conn_end(conn);
	return 0;
}

static const struct route front_routes[] = {
	/* type           state          descriptors  server */
	{FRONT_CONNECTION, CHANNEL_STATE, 1, 1, serve_connection},
	{FRONT_REFUSED, CHANNEL_STATE, 0, 0, serve_refused},
	{FRONT_CLOSE, CHANNEL_STATE, 0, 0, serve_close},
};

static void serve(struct chan *chan, struct msg *msg)
{
	struct gate *gate = chan->owner;
	struct err err = {0};

	if (route_dispatch(front_routes, ARRAY_COUNT(front_routes), CHANNEL_STATE, gate, msg,
			   &err) < 0)
		lost(gate, err.text);
}

int front_open(struct gate *gate, uint64_t link, int take_fd, struct err *err)
{
	gate->front_link = link;
	chan_close(&gate->front);
	gate->front.serve = serve;
	gate->front.lost = channel_lost;
	gate->front.owner = gate;
	return chan_open(&gate->front, &gate->loop, take_fd, err);
}

static void operations_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct gate *gate = watch->owner;
	struct err err = {0};

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		own_fd fd =
			accept4(gate->operations_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		if (gate->metrics.connections_open[LISTENER_OPERATIONS] >= GATE_OPERATIONS_MAX)
			gate->metrics.connections_refused++;
		else if (conn_new(gate, LISTENER_OPERATIONS, fd_take(&fd), NULL, 0, &err) < 0)
			log_event(LOG_WARN, "operations_refused", LOG_STR("error", err.text));
	}
}

int operations_open(struct gate *gate, int take_fd, struct err *err)
{
	own_fd fd = take_fd;
	int status;

	loop_unwatch(&gate->loop, &gate->operations);
	fd_drop(&gate->operations_fd);
	gate->operations = (struct watch){.fd = -1, .ready = operations_ready, .owner = gate};
	status = loop_watch(&gate->loop, &gate->operations, fd, EPOLLIN, err);
	if (status == 0)
		gate->operations_fd = fd_take(&fd);
	return status;
}
