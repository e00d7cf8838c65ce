/*
 * server/ledger/record.h - one record of the audit chain and its hash.
 *
 * The hash of a record is SHA-256 over, in this order,
 *
 *   - the 16 bytes "casemate-record1"
 *   - the previous record's hash: 32 bytes, zeros before the first
 *   - index and time in milliseconds: 8 bytes each, little-endian
 *   - kind, execution id, tenant, principal, body: each 4 bytes of length, little-endian, then
 *     its bytes
 *
 * Every length is written, so no two different records have the same bytes; the body is hashed
 * as it is stored, so nobody has to agree on a canonical JSON to check it. A change to any byte
 * of a record breaks its own hash, or the link of the next. The chain does not show that
 * records were cut off at its end: keep a later hash elsewhere (every answer carries one) to
 * show that.
 */
#ifndef SERVER_LEDGER_RECORD_H
#define SERVER_LEDGER_RECORD_H

#include <stdint.h>

#include "base/buf.h"
#include "server/ledger/digest.h"

/* X(symbol, name in the database, what happened). */
#define RECORD_LIST(X)                                                                   \
	X(GENESIS, "genesis", "the chain begins")                                        \
	X(SERVICE_STARTED, "service_started", "the ledger began to serve")               \
	X(SERVICE_STOPPED, "service_stopped", "it stopped in order")                     \
	X(CONFIG_LOADED, "config_loaded", "a configuration came into force")             \
	X(RECORDING_RESUMED, "recording_resumed", "the database could be written again") \
	X(EXECUTION_ACCEPTED, "execution_accepted", "a job may run")                     \
	X(EXECUTION_FINISHED, "execution_finished", "an accepted job ended")             \
	X(EXECUTION_REFUSED, "execution_refused", "nothing ran")                         \
	X(ACCESS_REFUSED, "access_refused", "a view was not allowed")                    \
	X(TLS_REFUSED, "tls_refused", "a handshake failed")

enum record_kind {
#define X(symbol, name, meaning) RECORD_##symbol,
	RECORD_LIST(X)
#undef X
		RECORD_KIND_COUNT
};

const char *record_kind_name(enum record_kind kind);

/* Texts and body are borrowed; an empty text means: does not apply. */
struct record {
	uint64_t index;
	uint64_t time_ms; /* wall clock */
	const char *kind;
	const char *execution_id;
	const char *tenant;
	const char *principal;
	const void *body; /* JSON, UTF-8 */
	size_t body_length;
};

/* The end of the chain: what the next record links to. */
struct record_mark {
	uint64_t count; /* records in the chain, and so the next index */
	uint8_t hash[DIGEST_BYTES];
};

/* The record's own hash. */
void record_hash(const struct record *record, const uint8_t previous[DIGEST_BYTES],
		 uint8_t ret[DIGEST_BYTES]);

#endif
