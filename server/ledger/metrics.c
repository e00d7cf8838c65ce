#include "server/ledger/metrics.h"

#include <inttypes.h>

#include "server/ledger/ledger.h"

/* From an empty job to the longest one allowed. */
static const uint64_t duration_bounds_us[METRICS_BUCKETS] = {
	1000,	2000,	 5000,	  10000,   25000,    50000,    100000,	  250000,
	500000, 1000000, 2500000, 5000000, 10000000, 30000000, 300000000, UINT64_MAX};
/* From a commit to a fast disk to one that hangs. */
static const uint64_t commit_bounds_us[METRICS_BUCKETS] = {
	100,  200,   300,   500,   750,	   1000,   1500,    2500,
	5000, 10000, 25000, 50000, 100000, 500000, 1000000, UINT64_MAX};

void metrics_init(struct metrics *metrics)
{
	metrics->duration.bounds_us = duration_bounds_us;
	metrics->commit.bounds_us = commit_bounds_us;
}

void histogram_add(struct histogram *histogram, uint64_t value_us)
{
	unsigned i = 0;

	while (value_us > histogram->bounds_us[i])
		i++;
	histogram->counts[i]++;
	histogram->sum_us += value_us;
	histogram->count++;
}

void metrics_count_events(struct metrics *metrics, const struct job_done *job)
{
	for (unsigned kind = 0; kind < EVENT_KINDS; kind++)
		metrics->events[kind] += job->event_counts[kind];
	metrics->events_dropped += job->events_dropped;
}

void metrics_count_findings(struct metrics *metrics, const uint64_t *findings)
{
	for (unsigned i = 0; i <= SEVERITY_MAX; i++)
		metrics->findings[i] +=
			findings[i] <= LIMIT_FINDINGS ? findings[i] : LIMIT_FINDINGS;
}

static void head(struct buf *buf, const char *name, const char *type, const char *help)
{
	buf_printf(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_seconds(struct buf *buf, uint64_t value_us)
{
	buf_printf(buf, "%" PRIu64 ".%06" PRIu64, value_us / 1000000, value_us % 1000000);
}

static void put_histogram(struct buf *buf, const struct histogram *histogram, const char *name,
			  const char *help)
{
	uint64_t sum = 0;

	head(buf, name, "histogram", help);
	for (unsigned i = 0; i < METRICS_BUCKETS; i++) {
		sum += histogram->counts[i];
		buf_printf(buf, "%s_bucket{le=\"", name);
		if (histogram->bounds_us[i] == UINT64_MAX)
			buf_add_str(buf, "+Inf");
		else
			put_seconds(buf, histogram->bounds_us[i]);
		buf_printf(buf, "\"} %" PRIu64 "\n", sum);
	}
	buf_printf(buf, "%s_sum ", name);
	put_seconds(buf, histogram->sum_us);
	buf_printf(buf, "\n%s_count %" PRIu64 "\n", name, histogram->count);
}

static void put_one(struct buf *buf, const char *name, const char *type, const char *help,
		    uint64_t value)
{
	head(buf, name, type, help);
	buf_printf(buf, "%s %" PRIu64 "\n", name, value);
}

static void put_executions(const struct ledger *ledger, struct buf *buf)
{
	head(buf, "casemate_executions_total", "counter", "Executions finished.");
	for (size_t i = 0; i < ledger->warden.runtime_count; i++)
		for (uint8_t status = STATUS_NONE + 1; status <= STATUS_MAX; status++)
			buf_printf(buf,
				   "casemate_executions_total{language=\"%s\",status=\"%s\"} "
				   "%" PRIu64 "\n",
				   ledger->warden.runtimes[i].told.name, status_name(status),
				   ledger->warden.runtimes[i].executions[status]);
	put_histogram(buf, &ledger->metrics.duration, "casemate_execution_duration_seconds",
		      "Time from the question to the last commit.");
	head(buf, "casemate_refusals_total", "counter", "Requests refused, by problem code.");
	for (uint8_t problem = PROBLEM_NONE + 1; problem <= PROBLEM_MAX; problem++)
		if (ledger->metrics.refusals[problem] > 0)
			buf_printf(buf, "casemate_refusals_total{code=\"%s\"} %" PRIu64 "\n",
				   problem_code(problem), ledger->metrics.refusals[problem]);
	put_one(buf, "casemate_executions_in_flight", "gauge", "Executions under way.",
		ledger->executions.count);
}

static void put_events(const struct ledger *ledger, struct buf *buf)
{
	head(buf, "casemate_events_total", "counter",
	     "What the sandbox saw of executions, by kind; *_denied are refused calls.");
	for (unsigned kind = 0; kind < EVENT_KINDS; kind++)
		buf_printf(buf, "casemate_events_total{kind=\"%s\"} %" PRIu64 "\n",
			   event_kind_name(kind), ledger->metrics.events[kind]);
	put_one(buf, "casemate_events_dropped_total", "counter",
		"Of these, counted without a look at their arguments.",
		ledger->metrics.events_dropped);
}

static void put_findings(const struct ledger *ledger, struct buf *buf)
{
	head(buf, "casemate_findings_total", "counter",
	     "What rules and policies said of code, by severity.");
	for (unsigned i = 0; i <= SEVERITY_MAX; i++)
		buf_printf(buf, "casemate_findings_total{severity=\"%s\"} %" PRIu64 "\n",
			   event_severity_name(i), ledger->metrics.findings[i]);
}

static void put_validations(const struct ledger *ledger, struct buf *buf)
{
	head(buf, "casemate_validations_total", "counter",
	     "Code judged without being run, by verdict.");
	buf_printf(buf,
		   "casemate_validations_total{verdict=\"accepted\"} %" PRIu64 "\n"
		   "casemate_validations_total{verdict=\"rejected\"} %" PRIu64 "\n",
		   ledger->metrics.validations[0], ledger->metrics.validations[1]);
}

static void put_records(const struct ledger *ledger, struct buf *buf)
{
	const struct metrics *metrics = &ledger->metrics;

	head(buf, "casemate_records_total", "counter", "Audit records written, by kind.");
	for (unsigned kind = 0; kind < RECORD_KIND_COUNT; kind++)
		buf_printf(buf, "casemate_records_total{kind=\"%s\"} %" PRIu64 "\n",
			   record_kind_name(kind), metrics->records[kind]);
	put_one(buf, "casemate_files_kept_bytes", "gauge", "Result files kept for callers.",
		ledger->files.kept_bytes);
	put_one(buf, "casemate_files_lost_total", "counter",
		"Result files that could not be kept.", ledger->files.lost);
	put_one(buf, "casemate_records_dropped_total", "counter",
		"Records without an execution that were lost while nothing could be written.",
		metrics->records_dropped);
	put_one(buf, "casemate_record_index", "gauge", "Records in the chain.",
		ledger->db.committed.count);
	put_one(buf, "casemate_recording", "gauge", "1 while records can be written.",
		ledger->round.is_bad ? 0 : 1);
	put_histogram(buf, &metrics->commit, "casemate_commit_duration_seconds",
		      "Durable group commits.");
	put_one(buf, "casemate_database_errors_total", "counter", "Failed database operations.",
		metrics->database_errors);
	put_one(buf, "casemate_answers_kept_bytes", "gauge",
		"Answers that can be fetched again.", ledger->db.kept_bytes);
	head(buf, "casemate_tls_refusals_total", "counter", "Refused handshakes, by reason.");
	for (uint8_t reason = TLS_REFUSAL_NONE + 1; reason <= TLS_REFUSAL_MAX; reason++)
		buf_printf(buf, "casemate_tls_refusals_total{reason=\"%s\"} %" PRIu64 "\n",
			   tls_refusal_name(reason), metrics->tls_refusals[reason]);
	put_one(buf, "casemate_peers_dropped_total", "counter",
		"Neighbours dropped for a malformed message.", metrics->peers_dropped);
}

static void put_pool(const struct ledger *ledger, struct buf *buf, const char *name,
		     const char *type, const char *help, size_t offset, size_t bytes)
{
	head(buf, name, type, help);
	for (size_t i = 0; i < ledger->warden.runtime_count; i++) {
		const char *at = (const char *)&ledger->warden.runtimes[i].pool + offset;
		uint64_t value = bytes == 4 ? *(const uint32_t *)(const void *)at
					    : *(const uint64_t *)(const void *)at;

		buf_printf(buf, "%s{language=\"%s\"} %" PRIu64 "\n", name,
			   ledger->warden.runtimes[i].told.name, value);
	}
}

#define PUT_POOL(field, name, type, help)                                            \
	put_pool(ledger, buf, name, type, help, offsetof(struct warden_pool, field), \
		 sizeof(((struct warden_pool *)NULL)->field))

void metrics_write(const struct ledger *ledger, struct buf *buf)
{
	put_executions(ledger, buf);
	put_events(ledger, buf);
	put_findings(ledger, buf);
	put_validations(ledger, buf);
	put_records(ledger, buf);
	PUT_POOL(ready, "casemate_workers_ready", "gauge", "Workers that wait for a job.");
	PUT_POOL(busy, "casemate_workers_busy", "gauge", "Workers that run one.");
	PUT_POOL(starting, "casemate_workers_starting", "gauge", "Workers being made.");
	PUT_POOL(queued, "casemate_jobs_queued", "gauge", "Jobs that wait for a worker.");
	PUT_POOL(workers_made, "casemate_workers_made_total", "counter", "Workers made.");
	PUT_POOL(workers_failed, "casemate_workers_failed_total", "counter",
		 "Workers that died before they were ready.");
}
