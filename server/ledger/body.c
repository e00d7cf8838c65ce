#include "server/ledger/body.h"

#include "base/jsonw.h"

static void key_hex(struct jsonw *json, const char *key, const uint8_t *data, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * DIGEST_BYTES + 1];

	for (size_t i = 0; i < length && i < DIGEST_BYTES; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * length] = '\0';
	jsonw_key_str(json, key, text);
}

static void key_digest(struct jsonw *json, const char *key, const struct digest *digest)
{
	if (digest->is_known)
		key_hex(json, key, digest->value, DIGEST_BYTES);
}

static const char *const identity_kinds[] = {"none", "spiffe", "dns", "cn"};

static void put_asked(struct jsonw *json, const struct ask_execute *ask)
{
	jsonw_key_str(json, "request_id", ask->request_id);
	jsonw_key_str(json, "traceparent", ask->traceparent);
	jsonw_key_str(json, "peer", ask->peer);
	jsonw_key(json, "certificate");
	jsonw_object_open(json);
	jsonw_key_str(json, "identity_kind", identity_kinds[ask->identity_kind]);
	jsonw_key_str(json, "serial", ask->serial);
	key_hex(json, "sha256", ask->fingerprint, sizeof(ask->fingerprint));
	jsonw_object_close(json);
}

static void put_limits(struct jsonw *json, const struct request_good *request)
{
	jsonw_key(json, "limits");
	jsonw_object_open(json);
#define LIMIT(kind, name, low, high) jsonw_key_u64(json, #name, request->name);
	LIMIT_FIELDS(LIMIT)
#undef LIMIT
	jsonw_object_close(json);
}

/* What was known of the code before anything ran. */
static void put_verdict(struct jsonw *json, const struct execution *e)
{
	jsonw_key_str(json, "verdict", e->request.is_rejected ? "rejected" : "accepted");
	jsonw_key(json, "findings");
	jsonw_object_open(json);
	for (unsigned i = 0; i <= SEVERITY_MAX; i++)
		if (e->request.findings[i] > 0)
			jsonw_key_u64(json, event_severity_name(i), e->request.findings[i]);
	jsonw_object_close(json);
	key_digest(json, "findings_sha256", &e->findings_digest);
}

void body_accepted(const struct execution *e, struct buf *buf)
{
	struct jsonw json;

	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	put_asked(&json, &e->ask);
	jsonw_key_str(&json, "language", e->request.language);
	jsonw_key_str(&json, "policy", e->policy);
	put_limits(&json, &e->request);
	key_digest(&json, "request_sha256", &e->body_digest);
	key_hex(&json, "code_sha256", e->code_sha256, DIGEST_BYTES);
	put_verdict(&json, e);
	jsonw_object_close(&json);
}

static void put_usage(struct jsonw *json, const struct answer_execution *answer)
{
	jsonw_key(json, "usage");
	jsonw_object_open(json);
#define USAGE(kind, name, low, high) jsonw_key_u64(json, #name, answer->name);
	EXECUTION_USAGE_FIELDS(USAGE)
#undef USAGE
	jsonw_object_close(json);
}

static void put_layers(struct jsonw *json, const struct answer_execution *answer)
{
	jsonw_key(json, "layers");
	jsonw_array_open(json);
	for (unsigned i = 0; i < LAYER_COUNT; i++)
		if ((answer->layers & 1u << i) != 0)
			jsonw_str(json, layer_name(i));
	jsonw_array_close(json);
	jsonw_key_u64(json, "landlock_abi", answer->landlock_abi);
	jsonw_key_u64(json, "cgroup_version", answer->cgroup_version);
}

/* How many of each kind; those that did not happen are left out. */
static void put_events(struct jsonw *json, const struct job_done *job)
{
	jsonw_key(json, "events");
	jsonw_object_open(json);
	for (unsigned kind = 0; kind < EVENT_KINDS; kind++)
		if (job->event_counts[kind] > 0)
			jsonw_key_u64(json, event_kind_name(kind), job->event_counts[kind]);
	jsonw_object_close(json);
	jsonw_key_u64(json, "events_dropped", job->events_dropped);
}

static const char *const limit_hits[] = {"",	   "wall",   "cpu",	 "memory",
					 "stdout", "stderr", "workspace"};
_Static_assert(ARRAY_COUNT(limit_hits) == LIMIT_HIT_MAX + 1, "each limit has a name");

void body_finished(const struct execution *e, struct buf *buf)
{
	const struct answer_execution *answer = &e->answer;
	struct jsonw json;

	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "request_id", answer->request_id);
	jsonw_key_str(&json, "traceparent", e->ask.traceparent);
	jsonw_key_str(&json, "status", status_name(answer->status));
	if (answer->limit_hit != LIMIT_HIT_NONE)
		jsonw_key_str(&json, "limit", limit_hits[answer->limit_hit]);
	if (answer->exit_code >= 0)
		jsonw_key_u64(&json, "exit_code", (uint64_t)answer->exit_code);
	if (answer->signal != 0)
		jsonw_key_u64(&json, "signal", answer->signal);
	if (e->refusal.detail[0] != '\0')
		jsonw_key_str(&json, "detail", e->refusal.detail);
	put_usage(&json, answer);
	put_layers(&json, answer);
	put_events(&json, &e->job);
	key_digest(&json, "payload_sha256", &e->payload_digest);
	key_digest(&json, "outcome_sha256", &e->members_digest);
	jsonw_object_close(&json);
}

void body_refused(const struct execution *e, struct buf *buf)
{
	struct jsonw json;

	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	put_asked(&json, &e->ask);
	jsonw_key_str(&json, "problem",
		      e->refusal.problem != PROBLEM_NONE ? problem_code(e->refusal.problem)
							 : "cancelled");
	jsonw_key_str(&json, "detail", e->refusal.detail);
	if (e->request.language[0] != '\0')
		jsonw_key_str(&json, "language", e->request.language);
	key_digest(&json, "request_sha256", &e->body_digest);
	jsonw_object_close(&json);
}

static void put_empty_stream(struct jsonw *json, const char *name, const char *encoding,
			     const char *truncated)
{
	jsonw_key_str(json, name, "");
	jsonw_key_str(json, encoding, "utf-8");
	jsonw_key_bool(json, truncated, false);
}

/* Behind the members that are there. */
static void put_findings(struct jsonw *json, const struct span *findings)
{
	if (findings->length > 0) {
		buf_add_char(json->buf, ',');
		buf_add(json->buf, findings->data, findings->length);
		return;
	}
	jsonw_key(json, "findings");
	jsonw_array_open(json);
	jsonw_array_close(json);
	jsonw_key_bool(json, "findings_truncated", false);
	jsonw_key(json, "sanitised");
	jsonw_array_open(json);
	jsonw_array_close(json);
}

int body_empty_members(const char *name, const char *message, const struct span *findings,
		       struct buf *buf, struct span *ret, struct err *err)
{
	struct jsonw json;

	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	put_empty_stream(&json, "stdout", "stdout_encoding", "stdout_truncated");
	put_empty_stream(&json, "stderr", "stderr_encoding", "stderr_truncated");
	jsonw_key(&json, "error");
	jsonw_object_open(&json);
	jsonw_key_str(&json, "name", name);
	jsonw_key_str(&json, "message", message);
	jsonw_key(&json, "traceback");
	jsonw_null(&json);
	jsonw_object_close(&json);
	jsonw_key(&json, "result");
	jsonw_null(&json);
	jsonw_key(&json, "files");
	jsonw_array_open(&json);
	jsonw_array_close(&json);
	jsonw_key_bool(&json, "files_truncated", false);
	jsonw_key(&json, "events");
	jsonw_array_open(&json);
	jsonw_array_close(&json);
	jsonw_key_u64(&json, "events_dropped", 0);
	put_findings(&json, findings);
	jsonw_object_close(&json);
	if (buf_check(buf, err) < 0)
		return -E2BIG;
	*ret = (struct span){.data = buf->data + 1, .length = buf->length - 2};
	return 0;
}
