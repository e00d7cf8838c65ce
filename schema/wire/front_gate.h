/*
 * schema/wire/front_gate.h - from the TLS front to the gate.
 *
 * The front vouches for the identity; the gate cannot change what the ledger will check it
 * against other than by lying as a whole, and no HTTP header can forge it.
 */
#ifndef SCHEMA_WIRE_FRONT_GATE_H
#define SCHEMA_WIRE_FRONT_GATE_H

#include "base/wire_gen.h"
#include "schema/limits.h"
#include "schema/status.h"

enum front_gate_message {
	FRONT_CONNECTION = 100, /* fds: 1, plaintext end of a stream socketpair; id: its number */
	FRONT_REFUSED,		/* a handshake that failed, or a connection that was ended */
	FRONT_CLOSE		/* id: of the FRONT_CONNECTION whose certificate is no longer good */
};

/* identity_kind 0 with an empty identity: a valid chain whose certificate names nobody. */
#define FRONT_CONNECTION_FIELDS(F)                                                                 \
	F(U8, identity_kind, 0, IDENTITY_MAX)                                                      \
	F(STR, identity, 0, LIMIT_IDENTITY_BYTES)                                                  \
	F(STR, serial, 0, 64) /* hex */                                                            \
	F(BYTES, fingerprint, 0, 32) /* SHA-256 of the DER certificate */                          \
	F(STR, peer, 0, LIMIT_PEER_BYTES)                                                          \
	F(U16, tls_version, 0x0303, 0x0304)
WIRE_DECLARE(front_connection, FRONT_CONNECTION_FIELDS)

/* Why a handshake failed. X(symbol, name in records and metrics). */
#define TLS_REFUSAL_LIST(X)                                                                        \
	X(NO_CERTIFICATE, "no_certificate")                                                        \
	X(UNKNOWN_CA, "unknown_ca")                                                                \
	X(EXPIRED, "expired")                                                                      \
	X(NOT_YET_VALID, "not_yet_valid")                                                          \
	X(REVOKED, "revoked")                                                                      \
	X(WRONG_PURPOSE, "wrong_purpose")                                                          \
	X(BAD_CERTIFICATE, "bad_certificate")                                                      \
	X(PROTOCOL_VERSION, "protocol_version")                                                    \
	X(TIMEOUT, "timeout")                                                                      \
	X(NOT_TLS, "not_tls")                                                                      \
	X(OTHER, "other")                                                                          \
	X(TOO_MANY, "too_many")

enum tls_refusal {
	TLS_REFUSAL_NONE = 0,
#define X(symbol, name) TLS_REFUSAL_##symbol,
	TLS_REFUSAL_LIST(X)
#undef X
	TLS_REFUSAL_MAX = TLS_REFUSAL_TOO_MANY
};

const char *tls_refusal_name(uint8_t refusal);

/* Equal refusals of one second come as one message with a count: a flood cannot fill the
 * record. `subject` is the refused certificate's, one line, control characters removed. */
#define FRONT_REFUSED_FIELDS(F)                                                                    \
	F(U8, refusal, 1, TLS_REFUSAL_MAX)                                                         \
	F(U32, count, 1, UINT32_MAX)                                                               \
	F(STR, peer, 0, LIMIT_PEER_BYTES)                                                          \
	F(STR, subject, 0, LIMIT_IDENTITY_BYTES)
WIRE_DECLARE(front_refused, FRONT_REFUSED_FIELDS)

/* Only the gate knows whether an answer is on its way: it lets that one out, takes nothing more,
 * and closes. The front passes on no further byte of the caller meanwhile. */
#define FRONT_CLOSE_FIELDS WIRE_EMPTY
WIRE_DECLARE(front_close, FRONT_CLOSE_FIELDS)

#endif
