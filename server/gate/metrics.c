#include "server/gate/metrics.h"

#include <inttypes.h>

/* Row 0 counts whatever is not in the list. */
static const unsigned codes[METRICS_CODES] = {
	0,   200, 204, 206, 304, 416, 400, 401, 403, 404, 405, 406, 408,
	411, 412, 413, 414, 415, 417, 422, 429, 431, 500, 501, 503, 505,
};

static unsigned code_row(unsigned http)
{
	for (unsigned i = 1; i < METRICS_CODES; i++)
		if (codes[i] == http)
			return i;
	return 0;
}

void metrics_count_answer(struct metrics *metrics, enum endpoint_action action, unsigned http)
{
	metrics->requests[action][code_row(http)]++;
}

void metrics_count_refused_head(struct metrics *metrics, unsigned http)
{
	metrics->heads_refused[code_row(http)]++;
}

static void family(struct buf *buf, const char *name, const char *type, const char *help)
{
	buf_printf(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct buf *buf, const char *name, const char *type, const char *help,
		   uint64_t value)
{
	family(buf, name, type, help);
	buf_printf(buf, "%s %" PRIu64 "\n", name, value);
}

static void write_requests(const struct metrics *metrics, struct buf *buf)
{
	family(buf, "casemate_http_requests_total", "counter", "Requests answered.");
	for (unsigned action = 0; action < ENDPOINT_COUNT; action++)
		for (unsigned row = 0; row < METRICS_CODES; row++)
			if (metrics->requests[action][row] > 0)
				buf_printf(buf,
					   "casemate_http_requests_total{route=\"%s\",code=\"%"
					   "u\"} "
					   "%" PRIu64 "\n",
					   endpoint_of((enum endpoint_action)action)->path,
					   codes[row], metrics->requests[action][row]);
	family(buf, "casemate_gate_heads_refused_total", "counter",
	       "Request heads that are not strict HTTP/1.1.");
	for (unsigned row = 0; row < METRICS_CODES; row++)
		if (metrics->heads_refused[row] > 0)
			buf_printf(buf,
				   "casemate_gate_heads_refused_total{code=\"%u\"} %" PRIu64
				   "\n",
				   codes[row], metrics->heads_refused[row]);
}

void metrics_write(const struct metrics *metrics, struct buf *buf)
{
	write_requests(metrics, buf);
	family(buf, "casemate_gate_tls_refused_total", "counter", "TLS handshakes refused.");
	for (unsigned i = 1; i <= TLS_REFUSAL_MAX; i++)
		buf_printf(buf, "casemate_gate_tls_refused_total{reason=\"%s\"} %" PRIu64 "\n",
			   tls_refusal_name((uint8_t)i), metrics->tls_refused[i]);
	single(buf, "casemate_gate_connections_total", "counter", "Connections taken.",
	       metrics->connections);
	single(buf, "casemate_gate_connections_refused_total", "counter",
	       "Connections above the maximum.", metrics->connections_refused);
	family(buf, "casemate_gate_connections_open", "gauge", "Connections open now.");
	buf_printf(buf,
		   "casemate_gate_connections_open{listener=\"main\"} %" PRIu64 "\n"
		   "casemate_gate_connections_open{listener=\"operations\"} %" PRIu64 "\n",
		   metrics->connections_open[LISTENER_MAIN],
		   metrics->connections_open[LISTENER_OPERATIONS]);
	single(buf, "casemate_gate_requests_in_flight", "gauge", "Requests not yet answered.",
	       metrics->requests_in_flight);
	single(buf, "casemate_gate_bodies_bytes", "gauge", "Bytes of bodies that are arriving.",
	       metrics->bodies_bytes);
	single(buf, "casemate_gate_answers_bytes", "gauge",
	       "Bytes of large answers that are not sent yet.", metrics->answers_bytes);
	single(buf, "casemate_gate_callers_left_total", "counter",
	       "Callers who left while their execution ran.", metrics->callers_left);
	single(buf, "casemate_gate_ledger_lost_total", "counter",
	       "Times the channel to the ledger was lost.", metrics->ledger_lost);
}
