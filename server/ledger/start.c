#include "server/ledger/start.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "server/ledger/body.h"
#include "server/ledger/ledger.h"

static void key_hex(struct jsonw *json, const char *key, const uint8_t data[DIGEST_BYTES])
{
	char text[2 * DIGEST_BYTES + 1];

	for (size_t i = 0; i < DIGEST_BYTES; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", data[i]);
	jsonw_key_str(json, key, text);
}

static int append(struct ledger *ledger, enum record_kind kind, const struct buf *body,
		  struct err *err)
{
	struct record_mark mark;
	struct record record = {
		.time_ms = clock_wall_ms(),
		.kind = record_kind_name(kind),
		.execution_id = "",
		.tenant = "",
		.principal = "",
		.body = body->data,
		.body_length = body->length,
	};

	if (buf_check(body, err) < 0)
		return -E2BIG;
	ledger->metrics.records[kind]++;
	return database_append(&ledger->db, &record, &mark, err);
}

/* Random bytes in the first record tell two chains apart that begin in the same millisecond. */
static int append_genesis(struct ledger *ledger, struct err *err)
{
	uint8_t random[DIGEST_BYTES];
	struct jsonw json;
	own_buf buf;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_errno(err, errno, "getrandom");
	buf_init(&buf, BODY_BYTES_MAX);
	jsonw_init(&json, &buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "format", "casemate-record1");
	jsonw_key_str(&json, "version", CASEMATE_VERSION);
	key_hex(&json, "random", random);
	jsonw_object_close(&json);
	return append(ledger, RECORD_GENESIS, &buf, err);
}

static void settled_body(const struct open_execution *open, struct buf *buf)
{
	struct jsonw json;

	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "request_id", open->request_id);
	jsonw_key_str(&json, "status", status_name(STATUS_INTERNAL_ERROR));
	jsonw_key_str(&json, "detail", "the service ended while it was under way");
	jsonw_object_close(&json);
}

static int keep_settled(struct ledger *ledger, const struct open_execution *open,
			const struct record *record, const struct record_mark *mark,
			struct err *err)
{
	const struct setup_ledger_config *config = &ledger->config.ledger;
	struct kept_answer kept = {
		.answer = {.created_ms = open->created_ms,
			   .status = STATUS_INTERNAL_ERROR,
			   .exit_code = -1,
			   .record_index = record->index},
		.expires_ms = open->created_ms + config->retain_answers_s * 1000ull,
		.has_members = true,
	};
	const struct span no_findings = {.data = ""};
	own_buf members;

	if (config->retain_answers_s == 0 || config->retain_answers_bytes == 0)
		return 0;
	buf_init(&members, BODY_BYTES_MAX);
	if (body_empty_members("InternalError", "the service ended while it was under way",
			       &no_findings, &members, &kept.members, err) < 0)
		return -E2BIG;
	memcpy(kept.answer.execution_id, open->id, sizeof(open->id));
	memcpy(kept.answer.runtime, open->runtime, sizeof(open->runtime));
	memcpy(kept.answer.request_id, open->request_id, sizeof(open->request_id));
	memcpy(kept.answer.record_hash, mark->hash, DIGEST_BYTES);
	memcpy(kept.tenant, open->tenant, sizeof(open->tenant));
	return database_keep(&ledger->db, &kept, err);
}

/* They come from an end that never was on record; without the store nobody gets them. */
static void forget_files(struct ledger *ledger, const struct open_execution *open)
{
	struct err err = {0};

	if (files_forget(&ledger->files, open->id, &err) == 0)
		return;
	log_event(LOG_ERROR, "file_store_unavailable", LOG_STR("reason", err.text),
		  LOG_STR("effect", "large result files are not kept"));
	files_close(&ledger->files);
}

static int settle(struct ledger *ledger, const struct open_execution *open, struct err *err)
{
	struct record_mark mark;
	own_buf body;
	int status;

	buf_init(&body, BODY_BYTES_MAX);
	settled_body(open, &body);
	if (buf_check(&body, err) < 0)
		return -E2BIG;

	struct record record = {
		.time_ms = clock_wall_ms(),
		.kind = record_kind_name(RECORD_EXECUTION_FINISHED),
		.execution_id = open->id,
		.tenant = open->tenant,
		.principal = open->principal,
		.body = body.data,
		.body_length = body.length,
	};

	status = database_append(&ledger->db, &record, &mark, err);
	if (status == 0)
		status = database_open_delete(&ledger->db, open->id, err);
	if (status == 0)
		status = keep_settled(ledger, open, &record, &mark, err);
	ledger->metrics.records[RECORD_EXECUTION_FINISHED]++;
	return status;
}

static int settle_open(struct ledger *ledger, uint64_t *ret_count, struct err *err)
{
	struct open_execution open;
	uint64_t count = 0;
	int status;

	while ((status = database_open_first(&ledger->db, &open, err)) == 1) {
		forget_files(ledger, &open);
		status = settle(ledger, &open, err);
		if (status < 0)
			return status;
		count++;
	}
	*ret_count = count;
	return status;
}

static int append_started(struct ledger *ledger, uint64_t settled, struct err *err)
{
	struct jsonw json;
	own_buf buf;

	buf_init(&buf, BODY_BYTES_MAX);
	jsonw_init(&json, &buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "version", CASEMATE_VERSION);
	jsonw_key_str(&json, "sqlite", sqlite3_libversion());
	jsonw_key_u64(&json, "landlock_abi", ledger->setup.landlock_abi);
	jsonw_key_u64(&json, "executions_settled", settled);
	jsonw_object_close(&json);
	return append(ledger, RECORD_SERVICE_STARTED, &buf, err);
}

int start_records(struct ledger *ledger, struct err *err)
{
	uint64_t settled = 0;
	int status = database_load(&ledger->db, err);

	if (status == 0)
		status = database_begin(&ledger->db, true, err);
	if (status == 0 && ledger->db.head.count == 0)
		status = append_genesis(ledger, err);
	if (status == 0)
		status = settle_open(ledger, &settled, err);
	if (status == 0)
		status = append_started(ledger, settled, err);
	if (status < 0) {
		database_rollback(&ledger->db);
		return status;
	}
	status = database_commit(&ledger->db, err);
	if (status == 0 && settled > 0)
		log_event(LOG_WARN, "executions_settled", LOG_INT("count", settled),
			  LOG_STR("status", status_name(STATUS_INTERNAL_ERROR)));
	return status;
}

void start_note_config(struct ledger *ledger)
{
	const struct config *config = &ledger->config;
	struct jsonw json;
	own_buf buf;

	buf_init(&buf, BODY_BYTES_MAX);
	jsonw_init(&json, &buf);
	jsonw_object_open(&json);
	jsonw_key_u64(&json, "tenants", config->tenant_count);
	jsonw_key_u64(&json, "principals", config->exact_count + config->wildcard_count);
	key_hex(&json, "sha256", config->sha256);
	jsonw_object_close(&json);
	round_note(ledger, RECORD_CONFIG_LOADED, "", "", &buf);
}
