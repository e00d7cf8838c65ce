#include "base/chan.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define HEADER_BYTES 16

struct chan_pending {
	struct chan_pending *next;
	size_t length; /* header and body */
	int fds[CHAN_FDS_MAX];
	unsigned fd_count;
	uint8_t data[];
};

int msg_take_fd(struct msg *msg, unsigned index)
{
	if (index >= msg->fd_count)
		return -1;
	return fd_take(&msg->fds[index]);
}

void msg_done(struct msg *msg)
{
	for (unsigned i = 0; i < msg->fd_count; i++)
		fd_drop(&msg->fds[i]);
	msg->fd_count = 0;
}

int chan_pair(int ret_fds[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) != 0)
		return err_errno(err, errno, "socketpair");
	return 0;
}

static void header_encode(uint8_t *header, uint16_t type, uint64_t id, size_t length,
			  unsigned fd_count)
{
	struct wr wr;

	wr_init(&wr, header, HEADER_BYTES);
	wr_uint(&wr, type, 2);
	wr_uint(&wr, fd_count, 2);
	wr_uint(&wr, length, 4);
	wr_uint(&wr, id, 8);
}

/* One sendmsg(2). Returns 0, -EAGAIN when the socket is full, or another negative errno. */
static int send_now(int fd, const void *header, const void *body, size_t length, const int *fds,
		    unsigned fd_count)
{
	struct iovec parts[2] = {
		{.iov_base = (void *)(uintptr_t)header, .iov_len = HEADER_BYTES},
		{.iov_base = (void *)(uintptr_t)body, .iov_len = length},
	};
	union {
		char bytes[CMSG_SPACE(sizeof(int) * CHAN_FDS_MAX)];
		struct cmsghdr align;
	} control;
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t sent;

	if (fd_count > 0) {
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof(control));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * fd_count);
	}
	do {
		sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static void pending_free(struct chan_pending *pending)
{
	for (unsigned i = 0; i < pending->fd_count; i++)
		fd_drop(&pending->fds[i]);
	free(pending);
}

static struct chan_pending *pending_new(const uint8_t *header, const void *body, size_t length,
					const int *fds, unsigned fd_count)
{
	struct chan_pending *pending = calloc(1, sizeof(*pending) + HEADER_BYTES + length);

	if (pending == NULL)
		return NULL;
	pending->length = HEADER_BYTES + length;
	memcpy(pending->data, header, HEADER_BYTES);
	if (length > 0)
		memcpy(pending->data + HEADER_BYTES, body, length);
	for (unsigned i = 0; i < fd_count; i++) {
		pending->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (pending->fds[i] < 0) {
			pending_free(pending);
			return NULL;
		}
		pending->fd_count++;
	}
	return pending;
}

static int chan_queue(struct chan *chan, const uint8_t *header, const void *body, size_t length,
		      const int *fds, unsigned fd_count, struct err *err)
{
	struct chan_pending *pending;

	if (chan->queued_bytes + HEADER_BYTES + length > CHAN_QUEUE_BYTES_MAX)
		return err_set(err, ENOBUFS, "peer stopped reading: %zu bytes wait",
			       chan->queued_bytes);
	pending = pending_new(header, body, length, fds, fd_count);
	if (pending == NULL)
		return err_errno(err, errno, "queue a message");
	if (chan->last != NULL)
		chan->last->next = pending;
	else
		chan->first = pending;
	chan->last = pending;
	chan->queued_bytes += pending->length;
	return loop_watch_events(chan->loop, &chan->watch, EPOLLIN | EPOLLOUT, err);
}

int chan_send(struct chan *chan, uint16_t type, uint64_t id, const void *body, size_t length,
	      const int *fds, unsigned fd_count, struct err *err)
{
	uint8_t header[HEADER_BYTES];
	int status = -EAGAIN;

	if (chan->fd < 0)
		return err_set(err, EPIPE, "the channel is closed");
	if (length > CHAN_BODY_MAX || fd_count > CHAN_FDS_MAX)
		return err_set(err, EMSGSIZE, "message %u has %zu bytes and %u descriptors",
			       type, length, fd_count);
	header_encode(header, type, id, length, fd_count);
	if (chan->first == NULL)
		status = send_now(chan->fd, header, body, length, fds, fd_count);
	if (status == -EAGAIN)
		status = chan_queue(chan, header, body, length, fds, fd_count, err);
	else if (status < 0)
		status = err_errno(err, -status, "send message %u", type);
	if (status < 0)
		chan_close(chan);
	return status;
}

static int chan_flush(struct chan *chan, struct err *err)
{
	while (chan->first != NULL) {
		struct chan_pending *pending = chan->first;
		int status = send_now(chan->fd, pending->data, pending->data + HEADER_BYTES,
				      pending->length - HEADER_BYTES, pending->fds,
				      pending->fd_count);

		if (status == -EAGAIN)
			return 0;
		if (status < 0)
			return err_errno(err, -status, "send a queued message");
		chan->first = pending->next;
		if (chan->first == NULL)
			chan->last = NULL;
		chan->queued_bytes -= pending->length;
		pending_free(pending);
	}
	return loop_watch_events(chan->loop, &chan->watch, EPOLLIN, err);
}

/* Takes over every descriptor that came, so that none leaks whatever the verdict is. */
static void claim_fds(struct msghdr *message, struct msg *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(message, cmsg)) {
		size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count && msg->fd_count < CHAN_FDS_MAX; i++)
			memcpy(&msg->fds[msg->fd_count++], CMSG_DATA(cmsg) + i * sizeof(int),
			       sizeof(int));
	}
}

static int header_decode(const uint8_t *header, size_t received, struct msg *msg,
			 struct err *err)
{
	struct rd rd;
	uint64_t fd_count;
	uint64_t length;

	rd_init(&rd, header, HEADER_BYTES);
	msg->type = (uint16_t)rd_uint(&rd, "type", 2, 0, UINT16_MAX);
	fd_count = rd_uint(&rd, "fds", 2, 0, CHAN_FDS_MAX);
	length = rd_uint(&rd, "length", 4, 0, CHAN_BODY_MAX);
	msg->id = rd_uint(&rd, "id", 8, 0, UINT64_MAX);
	if (rd_done(&rd, "header", err) != 0)
		return -EBADMSG;
	if (received != HEADER_BYTES + length || fd_count != msg->fd_count)
		return err_set(err, EBADMSG,
			       "message %u: length or descriptors differ from its "
			       "header",
			       msg->type);
	msg->length = length;
	return 0;
}

/* One recvmsg(2). 1: a message; 0: the peer closed; negative errno otherwise. */
static int receive_now(int fd, struct msg *msg, struct err *err)
{
	uint8_t header[HEADER_BYTES];
	struct iovec parts[2] = {
		{.iov_base = header, .iov_len = sizeof(header)},
		{.iov_base = msg->body, .iov_len = sizeof(msg->body)},
	};
	union {
		char bytes[CMSG_SPACE(sizeof(int) * CHAN_FDS_MAX)];
		struct cmsghdr align;
	} control;
	struct msghdr message = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t received;

	msg->fd_count = 0;
	msg->length = 0;
	do {
		received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (received < 0 && errno == EINTR);
	if (received < 0)
		return errno == EAGAIN ? -EAGAIN : err_errno(err, errno, "recvmsg");
	claim_fds(&message, msg);
	/* The end, or an empty message, which is treated as one; it can carry descriptors. */
	if (received == 0) {
		msg_done(msg);
		return 0;
	}
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || received < HEADER_BYTES) {
		msg_done(msg);
		return err_set(err, EBADMSG, "message cut off at %zd bytes", received);
	}
	if (header_decode(header, (size_t)received, msg, err) < 0) {
		msg_done(msg);
		return -EBADMSG;
	}
	return 1;
}

static void chan_fail(struct chan *chan, const struct err *why)
{
	chan_close(chan);
	if (chan->lost != NULL)
		chan->lost(chan, why);
}

/* Messages served per wake-up, so that one busy peer cannot starve the others. */
#define CHAN_BURST_MAX 32

static void chan_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct chan *chan = watch->owner;
	struct err err = {0};
	/* A loop serves one event at a time. On the stack the compiler would touch each of its
	 * 15 pages for every message. */
	static struct msg msg;

	(void)loop;
	if ((events & EPOLLOUT) != 0 && chan_flush(chan, &err) < 0) {
		chan_fail(chan, &err);
		return;
	}
	if ((events & ~(uint32_t)EPOLLOUT) == 0)
		return;
	for (int i = 0; i < CHAN_BURST_MAX && chan->fd >= 0; i++) {
		int status = receive_now(chan->fd, &msg, &err);

		if (status == -EAGAIN)
			return;
		if (status == 0)
			status = err_set(&err, ECONNRESET, "the peer closed the channel");
		if (status < 0) {
			chan_fail(chan, &err);
			return;
		}
		chan->serve(chan, &msg);
		msg_done(&msg);
	}
}

int chan_open(struct chan *chan, struct loop *loop, int take_fd, struct err *err)
{
	int status;

	chan->loop = loop;
	chan->fd = take_fd;
	chan->first = NULL;
	chan->last = NULL;
	chan->queued_bytes = 0;
	chan->watch = (struct watch){.fd = -1, .ready = chan_ready, .owner = chan};
	status = loop_watch(loop, &chan->watch, take_fd, EPOLLIN, err);
	if (status < 0)
		fd_drop(&chan->fd);
	return status;
}

void chan_close(struct chan *chan)
{
	if (chan->fd < 0)
		return;
	loop_unwatch(chan->loop, &chan->watch);
	fd_drop(&chan->fd);
	while (chan->first != NULL) {
		struct chan_pending *pending = chan->first;

		chan->first = pending->next;
		pending_free(pending);
	}
	chan->last = NULL;
	chan->queued_bytes = 0;
}

static int wait_for(int fd, short events, struct err *err)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	if (poll(&poll_fd, 1, -1) < 0 && errno != EINTR)
		return err_errno(err, errno, "poll");
	return 0;
}

static int send_copied(int fd, uint8_t *whole, const uint8_t *header, const void *body,
		       size_t length)
{
	ssize_t sent;

	memcpy(whole, header, HEADER_BYTES);
	if (length > 0)
		memcpy(whole + HEADER_BYTES, body, length);
	do {
		sent = send(fd, whole, HEADER_BYTES + length, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Apart, because the compiler touches every page of a frame this large, and a worker that does
 * so pays for each. */
__attribute__((noinline)) static int send_large(int fd, const uint8_t *header, const void *body,
						size_t length)
{
	uint8_t whole[HEADER_BYTES + CHAN_BODY_MAX];

	return send_copied(fd, whole, header, body, length);
}

/* A message without descriptors by one send(2): locked-down workers may not call sendmsg(2),
 * which could put descriptors in flight. Copies, which set-up code and one report can afford.
 */
static int send_plain(int fd, const uint8_t *header, const void *body, size_t length)
{
	uint8_t whole[1024]; /* most messages and reports of most jobs */

	if (HEADER_BYTES + length > sizeof(whole))
		return send_large(fd, header, body, length);
	return send_copied(fd, whole, header, body, length);
}

int chan_send_blocking(int fd, uint16_t type, uint64_t id, const void *body, size_t length,
		       const int *fds, unsigned fd_count, struct err *err)
{
	uint8_t header[HEADER_BYTES];
	int status;

	if (length > CHAN_BODY_MAX || fd_count > CHAN_FDS_MAX)
		return err_set(err, EMSGSIZE, "message %u has %zu bytes and %u descriptors",
			       type, length, fd_count);
	header_encode(header, type, id, length, fd_count);
	while ((status = fd_count == 0 ? send_plain(fd, header, body, length)
				       : send_now(fd, header, body, length, fds, fd_count)) ==
	       -EAGAIN)
		if (wait_for(fd, POLLOUT, err) < 0)
			return -EIO;
	return status < 0 ? err_errno(err, -status, "send message %u", type) : 0;
}

int chan_receive_blocking(int fd, struct msg *ret, struct err *err)
{
	int status;

	while ((status = receive_now(fd, ret, err)) == -EAGAIN)
		if (wait_for(fd, POLLIN, err) < 0)
			return -EIO;
	if (status == 0)
		return err_set(err, ECONNRESET, "the peer closed the channel");
	return status < 0 ? status : 0;
}

int route_dispatch(const struct route *routes, size_t count, uint32_t state, void *owner,
		   struct msg *msg, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct route *route = &routes[i];

		if (route->type != msg->type)
			continue;
		if ((route->states & state) == 0)
			return err_set(err, EPROTO, "message %u is not legal in state %#x",
				       msg->type, state);
		if (msg->fd_count < route->fds_min || msg->fd_count > route->fds_max)
			return err_set(err, EPROTO, "message %u carries %u descriptors",
				       msg->type, msg->fd_count);
		return route->serve(owner, msg, err);
	}
	return err_set(err, EPROTO, "message %u is unknown here", msg->type);
}
