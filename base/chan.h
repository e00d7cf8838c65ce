/*
 * base/chan.h - typed messages with descriptors between two processes.
 *
 * Transport: a Unix SOCK_SEQPACKET socketpair, so one read is one message and nothing is
 * reassembled. Header, 16 bytes little-endian: u16 type, u16 descriptor count, u32 body
 * bytes, u64 id. Descriptors travel by SCM_RIGHTS, close-on-exec from birth; those the
 * receiver does not take are closed with the message.
 *
 * Sending never blocks: what the socket does not take is queued, and a queue that reaches
 * CHAN_QUEUE_BYTES_MAX is an error, because a peer that stopped reading is a dead peer.
 */
#ifndef BASE_CHAN_H
#define BASE_CHAN_H

#include "base/loop.h"
#include "base/wire.h"

#define CHAN_BODY_MAX	     (60 * 1024)       /* bytes; larger payloads go as sealed memfds */
#define CHAN_FDS_MAX	     12		       /* descriptors in one message */
#define CHAN_QUEUE_BYTES_MAX (8 * 1024 * 1024) /* unsent bytes; thousands of typed messages */

struct msg {
	uint16_t type;
	uint64_t id;
	size_t length;
	int fds[CHAN_FDS_MAX]; /* -1 once taken */
	unsigned fd_count;     /* as received; taking a descriptor does not change it */
	uint8_t body[CHAN_BODY_MAX];
};

/* Moves descriptor `index` out of the message; -1 if there is none. */
nodiscard int msg_take_fd(struct msg *msg, unsigned index);

/* Closes the descriptors that nobody took. */
void msg_done(struct msg *msg);

struct chan_pending;

/* Embedded in its owner. */
struct chan {
	struct watch watch;
	struct loop *loop;
	int fd; /* owned; -1 when closed */
	struct chan_pending *first;
	struct chan_pending *last;
	size_t queued_bytes;
	/* One message; the callee may close the channel. Descriptors not taken are closed
	 * after. */
	void (*serve)(struct chan *chan, struct msg *msg);
	/* The peer is gone or broke the protocol; the channel is closed already. */
	void (*lost)(struct chan *chan, const struct err *why);
	void *owner;
};

/* A connected pair, close-on-exec and non-blocking. */
nodiscard int chan_pair(int ret_fds[2], struct err *err);

/* Takes `take_fd` (consumed on failure too) and serves it on the loop. */
nodiscard int chan_open(struct chan *chan, struct loop *loop, int take_fd, struct err *err);

/* Closes and drops what is queued; legal when closed. */
void chan_close(struct chan *chan);

/* Sends one message. `fds` are borrowed and duplicated by the kernel. A failure closes the
 * channel without calling `lost`: the caller knows. */
nodiscard int chan_send(struct chan *chan, uint16_t type, uint64_t id, const void *body,
			size_t length, const int *fds, unsigned fd_count, struct err *err);

/* For set-up code and tests without a loop: blocking send and receive on a bare descriptor.
 * chan_receive_blocking returns -ECONNRESET when the peer has closed. Without descriptors it is
 * send(2), which is what a locked-down worker may still call. */
nodiscard int chan_send_blocking(int fd, uint16_t type, uint64_t id, const void *body,
				 size_t length, const int *fds, unsigned fd_count,
				 struct err *err);
nodiscard int chan_receive_blocking(int fd, struct msg *ret, struct err *err);

/*
 * A dispatch table: type, the peer states it is legal in (a bit mask), the descriptors it
 * carries, who serves it. The peer's state lives in its owner.
 */
struct route {
	uint16_t type;
	uint32_t states;
	unsigned fds_min, fds_max;
	int (*serve)(void *owner, struct msg *msg, struct err *err);
};

/* Finds and calls the server. A type, state or descriptor count outside the table is
 * -EPROTO: the caller drops that peer and goes on. */
nodiscard int route_dispatch(const struct route *routes, size_t count, uint32_t state,
			     void *owner, struct msg *msg, struct err *err);

#endif
