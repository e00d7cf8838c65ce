/*
 * server/front/front.h - the TLS front: one listening socket, one gate, many callers.
 *
 * Who may in: at most `connections_max` connections at once. When all slots are taken, the
 * oldest connection that has not (or no longer) an identity makes room, so strangers cannot
 * lock callers out, and one address has only a share of the handshakes; when every slot belongs
 * to a verified caller, new ones wait in the kernel's backlog. Without a gate nothing is
 * accepted either.
 */
#ifndef SERVER_FRONT_FRONT_H
#define SERVER_FRONT_FRONT_H

#include "base/chan.h"
#include "server/front/addresses.h"
#include "server/front/conn.h"
#include "server/front/refusals.h"
#include "server/front/trust.h"

struct front {
	struct loop loop;
	struct chan supervisor;
	struct chan gate;
	SSL_CTX *tls; /* NULL until the first COMMIT */
	uint32_t connections_max;
	uint32_t handshake_ms;
	uint32_t handshakes_per_address_max;
	struct addresses addresses;
	int listener_fd;
	struct watch listener;
	struct timer accept_pause;
	struct timer drain_deadline;
	struct timer refusals_due;
	struct refusals refusals;
	struct trust trust;
	uint64_t tls_generation;      /* of `tls`; counts the keys there have been */
	uint64_t last_number;	      /* of a connection */
	uint64_t crl_fault_logged_us; /* monotonic; 0: never */
	struct conn_list conns[CONN_STATE_COUNT];
	size_t conn_count;
	bool is_draining;
	void (*drained)(struct front *front);  /* the last connection of a drain has ended */
	uint8_t scratch[CONN_TO_CLIENT_BYTES]; /* of whoever is being served */
};

nodiscard int front_init(struct front *front, struct err *err);
void front_done(struct front *front);

/* Takes the socket (consumed on failure too); an earlier one is closed. */
nodiscard int front_listen(struct front *front, int take_fd, struct err *err);

/* Takes a channel to a new gate; connections of the old one end. */
nodiscard int front_set_gate(struct front *front, int take_fd, struct err *err);

/* Starts or stops accepting, as the state demands. */
void front_update_accepting(struct front *front);

/* Takes nothing new; calls `drained` when all is done or `deadline_ms` have passed. */
void front_drain(struct front *front, uint32_t deadline_ms);

/* --- for connections --------------------------------------------------------------------- */

bool front_has_gate(const struct front *front);

/* Makes the socketpair, sends the gate its end and the identity. */
nodiscard int front_introduce(struct front *front, struct conn *conn, int *ret_fd,
			      struct err *err);

/* The gate is to close this one once the answer under way is out. */
void front_tell_close(struct front *front, const struct conn *conn);

/* After a failed send: ends what belonged to a gate that is no longer there. */
void front_check_gate(struct front *front);

void front_refused(struct front *front, const struct conn *conn, uint8_t refusal,
		   const char *detail);

void front_connection_gone(struct front *front);

#endif
