#include "server/gate/engine.h"

#include <microhttpd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"
#include "server/gate/conn.h"

#define ENGINE_ROUNDS_MAX \
	16 /* per loop round; pipelined requests of one caller cost one each */
#define ENGINE_MEMORY_BYTES                                               \
	(8 * 1024) /* per connection: a constant head, an answer's header \
		    */

/* The only requests the engine ever reads. Indexes: HEAD, HTTP/1.0, kept. */
static const char *const heads[2][2][2] = {
	{{"GET / HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n",
	  "GET / HTTP/1.1\r\nHost: gate\r\n\r\n"},
	 {"GET / HTTP/1.0\r\nHost: gate\r\n\r\n",
	  "GET / HTTP/1.0\r\nHost: gate\r\nConnection: Keep-Alive\r\n\r\n"}},
	{{"HEAD / HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n",
	  "HEAD / HTTP/1.1\r\nHost: gate\r\n\r\n"},
	 {"HEAD / HTTP/1.0\r\nHost: gate\r\n\r\n",
	  "HEAD / HTTP/1.0\r\nHost: gate\r\nConnection: Keep-Alive\r\n\r\n"}},
};

/* The address given to MHD_add_connection carries the slot, so that the engine's connection
 * finds ours whenever MHD gets round to it. */
struct slot_address {
	sa_family_t family;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void touch(struct conn *conn)
{
	if (conn->is_touched)
		return;
	conn->is_touched = true;
	conn->next_touched = conn->gate->touched;
	conn->gate->touched = conn;
}

static void connection_event(void *cls, struct MHD_Connection *connection,
			     void **socket_context, enum MHD_ConnectionNotificationCode what)
{
	struct gate *gate = cls;
	struct conn *conn;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
		struct slot_address address;
		uint32_t slot;

		memcpy(&address, info->client_addr, sizeof(address));
		memcpy(&slot, address.path, sizeof(slot));
		*socket_context = gate->conns[slot];
		return;
	}
	conn = *socket_context;
	*socket_context = NULL;
	if (conn == NULL)
		return;
	conn->has_engine = false;
	if (conn->is_dead)
		conn_let_go(conn);
}

static struct conn *conn_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

static enum MHD_Result serve(void *cls, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *upload_data,
			     size_t *upload_data_size, void **request_context)
{
	struct conn *conn = conn_of(connection);
	enum MHD_Result result;

	(void)cls, (void)url, (void)method, (void)version;
	(void)upload_data, (void)upload_data_size;
	if (conn == NULL || conn->is_dead || conn->response == NULL)
		return MHD_NO;
	/* A response at the first call would count as an early one and close the connection. */
	if (*request_context == NULL) {
		*request_context = conn;
		return MHD_YES;
	}
	result = MHD_queue_response(connection, conn->status, conn->response);
	MHD_destroy_response(conn->response);
	conn->response = NULL;
	touch(conn);
	return result;
}

static void request_event(void *cls, struct MHD_Connection *connection, void **request_context,
			  enum MHD_RequestTerminationCode how)
{
	struct conn *conn = conn_of(connection);

	(void)cls, (void)request_context;
	if (conn == NULL || conn->is_dead)
		return;
	conn->is_answered = how == MHD_REQUEST_TERMINATED_COMPLETED_OK;
	touch(conn);
}

static void pump_again(struct loop *loop, struct timer *timer)
{
	(void)loop;
	(void)timer; /* the round that follows pumps */
}

int engine_start(struct gate *gate, struct err *err)
{
	/* No MHD_USE_ERROR_LOG: for each answer it would complain that a local socket has no
	 * TCP options. An answer that fails shows as answer_failed. */
	gate->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, serve, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, connection_event, gate,
		MHD_OPTION_NOTIFY_COMPLETED, request_event, NULL, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)(2 * GATE_SLOTS), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)ENGINE_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (gate->daemon == NULL)
		return err_set(err, ENOTSUP, "libmicrohttpd does not start");
	gate->pump_timer = (struct timer){.fire = pump_again, .owner = gate};
	return 0;
}

static int engine_connect(struct conn *conn, struct err *err)
{
	struct slot_address address = {.family = AF_UNIX};
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return err_errno(err, errno, "socket pair for an answer");
	if (loop_watch(&conn->gate->loop, &conn->inner, fds[0], EPOLLIN, err) < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return -err->code;
	}
	conn->inner_fd = fds[0];
	memcpy(address.path, &conn->slot, sizeof(conn->slot));
	conn->has_engine = true;
	/* MHD owns fds[1] from here on, also when it refuses. */
	if (MHD_add_connection(conn->gate->daemon, fds[1], (const struct sockaddr *)&address,
			       sizeof(address)) != MHD_YES) {
		conn->has_engine = false;
		return err_set(err, ENOBUFS, "libmicrohttpd refuses a connection");
	}
	return 0;
}

static void disconnect(struct conn *conn)
{
	if (conn->inner_fd < 0)
		return;
	conn->gate->is_engine_due = true;
	loop_unwatch(&conn->gate->loop, &conn->inner);
	fd_drop(&conn->inner_fd);
}

int engine_submit(struct conn *conn, struct err *err)
{
	const struct request *request = &conn->request;
	const char *head =
		heads[request->method == HTTP_HEAD][request->is_http10][request->is_kept];
	size_t length = strlen(head);

	/* The engine closes after some answers, whatever it was asked. */
	if (!conn->has_engine)
		disconnect(conn);
	/* An engine connection that was given up but not yet forgotten still points here. */
	if (conn->inner_fd < 0 && conn->has_engine)
		return err_set(err, EBUSY, "the engine still holds the last answer");
	if (conn->inner_fd < 0 && engine_connect(conn, err) < 0)
		return -err->code;
	if (send(conn->inner_fd, head, length, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)length)
		return err_errno(err, errno, "ask the engine for an answer");
	conn->gate->is_engine_due = true;
	return 0;
}

void engine_release(struct conn *conn)
{
	if (conn->response != NULL)
		MHD_destroy_response(conn->response);
	conn->response = NULL;
	disconnect(conn);
}

void engine_pump(struct gate *gate)
{
	/* Since release 1.0 MHD looks for events first and takes new connections then, and its
	 * MHD_get_timeout() does not tell: a new connection's request waits for a second round.
	 */
	for (int round = 0; round < ENGINE_ROUNDS_MAX && (gate->is_engine_due || round == 1);
	     round++) {
		MHD_UNSIGNED_LONG_LONG wait_ms = 1;

		gate->is_engine_due = false;
		(void)MHD_run(gate->daemon);
		while (gate->touched != NULL) {
			struct conn *conn = gate->touched;

			gate->touched = conn->next_touched;
			conn->is_touched = false;
			conn_relay(conn);
		}
		if (MHD_get_timeout(gate->daemon, &wait_ms) == MHD_YES && wait_ms == 0)
			gate->is_engine_due = true;
	}
	if (gate->is_engine_due)
		loop_timer_start(&gate->loop, &gate->pump_timer, 0);
}
