/*
 * server/gate/metrics.h - what the gate counts, as Prometheus text (format 0.0.4).
 */
#ifndef SERVER_GATE_METRICS_H
#define SERVER_GATE_METRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "schema/wire/front_gate.h"
#include "server/gate/endpoint.h"

#define METRICS_CODES 28 /* distinct HTTP statuses that the gate answers with */

struct metrics {
	uint64_t requests[ENDPOINT_COUNT][METRICS_CODES];
	uint64_t heads_refused[METRICS_CODES];
	uint64_t tls_refused[TLS_REFUSAL_MAX + 1];
	uint64_t connections;	      /* ever */
	uint64_t connections_refused; /* above the maximum */
	uint64_t callers_left;	      /* while their execution ran */
	uint64_t ledger_lost;
	uint64_t connections_open[3]; /* now, by enum listener */
	uint64_t requests_in_flight;  /* now */
	uint64_t bodies_bytes;	      /* of bodies that arrive, when last looked */
	uint64_t answers_bytes;	      /* of large answers not read, likewise */
};

void metrics_count_answer(struct metrics *metrics, enum endpoint_action action, unsigned http);
void metrics_count_refused_head(struct metrics *metrics, unsigned http);

/* Every family with HELP and TYPE; ends with a newline, so another text can follow. */
void metrics_write(const struct metrics *metrics, struct buf *buf);

#endif
