/*
 * server/front/conn.h - one caller's connection: TLS on his side, a plaintext stream socketpair
 * on the gate's.
 *
 * handshake -> (waiting for a gate) -> open -> linger -> gone. Nothing of an unverified caller
 * reaches the gate. What the caller sent and the gate did not take yet, and the other way
 * round, is one bounded chunk each; while it waits, its source is not read, so back-pressure
 * reaches whoever is too fast.
 *
 * A certificate that ends, or that a reload no longer trusts, ends its connection too: nothing
 * more is read, the gate lets the answer out that is on its way, and closes.
 *
 * Ends: the caller's FIN or RST, with or without close_notify before, means that he has left:
 * the gate's end hangs up at once, whatever runs. A close_notify alone is a half-close, and the
 * gate may still answer. The gate's end of file means that the answer is complete: it is
 * flushed, then close_notify and FIN are sent, and what the caller still sends is read and
 * dropped for a moment, because an early close would reset the connection and take the answer
 * back.
 */
#ifndef SERVER_FRONT_CONN_H
#define SERVER_FRONT_CONN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "server/front/addresses.h"
#include "server/front/tls.h"

struct front;

enum conn_state {
	CONN_HANDSHAKE,
	CONN_WAITING, /* verified, but there is no gate at the moment */
	CONN_OPEN,
	CONN_LINGER,
	CONN_STATE_COUNT
};

#define CONN_TO_GATE_BYTES   (16 * 1024) /* one TLS record */
#define CONN_TO_CLIENT_BYTES (64 * 1024)

/* Bytes that their destination did not take yet; owned. */
struct conn_chunk {
	uint8_t *data; /* NULL: nothing waits */
	size_t at;
	size_t length;
};

struct conn {
	struct conn *next; /* of the same state, oldest first */
	struct conn *previous;
	struct front *front;
	struct address_link address; /* counted during the handshake */
	enum conn_state state;
	SSL *ssl; /* owned; NULL while lingering */
	int client_fd;
	int gate_fd; /* -1 unless open */
	struct watch client;
	struct watch gate;
	struct timer deadline; /* handshake, flushing the rest, or lingering */
	struct conn_chunk to_gate;
	struct conn_chunk to_client;
	size_t discarded_bytes;	  /* while lingering */
	bool has_client_finished; /* close_notify came */
	bool has_gate_finished;	  /* end of file came */
	bool has_gate_stopped;	  /* reads no more; what the caller sends is dropped */
	bool has_buffered;	  /* OpenSSL holds bytes that epoll does not know of */
	bool wants_write;	  /* SSL_read() waits until it can write */
	struct tls_info info;
	char peer[LIMIT_PEER_BYTES + 1];
	uint64_t number;	 /* towards the gate, never used twice */
	uint64_t tls_generation; /* of the keys that its certificate was judged by */
	int64_t good_until_s;	 /* wall clock; set when it is open */
	bool is_ending;		 /* the certificate is no longer good: nothing more is taken */
};

struct conn_list {
	struct conn *first;
	struct conn *last;
};

/* Starts the handshake; takes `take_fd`. NULL when there is no memory. */
struct conn *conn_new(struct front *front, int take_fd, const struct sockaddr_storage *address);

/* Closes at once, without close_notify: whoever reads notices the cut. */
void conn_drop(struct conn *conn);

/* The certificate is no longer good, for this reason: see above. */
void conn_end(struct conn *conn, int verify_error);

/* Judges an open connection by the keys in force now, and puts it last on its list. */
void conn_judge(struct conn *conn);

/* A waiting connection goes to the gate that has come. */
void conn_attach(struct conn *conn);

/* Sends FIN, drops what still comes, and ends after a short while. TLS is over by now. */
void conn_linger(struct conn *conn);

/* In shuttle.c: serves an open connection. */
void shuttle_start(struct conn *conn);
void shuttle_update(struct conn *conn); /* after is_ending was set */
void shuttle_client_ready(struct conn *conn, uint32_t events);
void shuttle_gate_ready(struct loop *loop, struct watch *watch, uint32_t events);

#endif
