/*
 * server/front/trust.h - connections that are open already, when their certificate ends or the
 * keys are exchanged.
 *
 * A handshake judges a certificate once; a connection may live for days. So each open one is
 * judged again by every new CA and CRL, a few a round, and ended when a certificate of its
 * chain is past its date.
 */
#ifndef SERVER_FRONT_TRUST_H
#define SERVER_FRONT_TRUST_H

#include "base/loop.h"

struct conn;
struct front;

struct trust {
	struct timer judge;  /* armed while connections wait to be judged */
	struct timer expiry; /* armed while connections are open */
	int64_t first_end_s; /* no open connection's chain ends before */
};

void trust_init(struct front *front);

/* front->tls is new. */
void trust_changed(struct front *front);

/* A connection is open. */
void trust_watch(struct front *front, struct conn *conn);

#endif
