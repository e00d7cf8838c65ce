/*
 * server/ledger/metrics.h - numbers for operators, in Prometheus text format 0.0.4.
 *
 * Labels come from closed lists and from the installed runtimes, never from a caller.
 */
#ifndef SERVER_LEDGER_METRICS_H
#define SERVER_LEDGER_METRICS_H

#include "base/buf.h"
#include "schema/status.h"
#include "schema/wire/front_gate.h"
#include "schema/wire/ledger_warden.h"
#include "server/ledger/record.h"

struct ledger;

#define METRICS_BUCKETS 16

struct histogram {
	const uint64_t *bounds_us; /* METRICS_BUCKETS of them, the last UINT64_MAX */
	uint64_t counts[METRICS_BUCKETS];
	uint64_t sum_us;
	uint64_t count;
};

struct metrics {
	struct histogram duration;
	struct histogram commit;
	uint64_t refusals[PROBLEM_MAX + 1];
	uint64_t records[RECORD_KIND_COUNT];
	uint64_t records_dropped;
	uint64_t events[EVENT_KINDS];
	uint64_t events_dropped;
	uint64_t findings[SEVERITY_MAX + 1];
	uint64_t validations[2]; /* accepted, rejected */
	uint64_t database_errors;
	uint64_t tls_refusals[TLS_REFUSAL_MAX + 1];
	uint64_t peers_dropped;
	uint64_t checkpoint_us;
};

void metrics_init(struct metrics *metrics);
void metrics_count_events(struct metrics *metrics, const struct job_done *job);
/* By severity, as a validator counted them; not more of each than it may list. */
void metrics_count_findings(struct metrics *metrics, const uint64_t *findings);
void histogram_add(struct histogram *histogram, uint64_t value_us);
void metrics_write(const struct ledger *ledger, struct buf *buf);

#endif
