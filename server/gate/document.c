#include "server/gate/document.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/jsonw.h"

static void key_unless_empty(struct jsonw *json, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		jsonw_key_str(json, key, text);
}

void document_problem(struct buf *buf, const struct problem_document *problem)
{
	char type[96];
	struct jsonw json;

	(void)snprintf(type, sizeof(type), "urn:casemate:problem:%s",
		       problem_code(problem->problem));
	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "type", type);
	jsonw_key_str(&json, "title", problem_title(problem->problem));
	jsonw_key_u64(&json, "status", problem_http(problem->problem));
	jsonw_key_str(&json, "detail",
		      problem->detail != NULL && problem->detail[0] != '\0'
			      ? problem->detail
			      : problem_title(problem->problem));
	key_unless_empty(&json, "instance", problem->instance);
	jsonw_key_str(&json, "code", problem_code(problem->problem));
	key_unless_empty(&json, "request_id", problem->request_id);
	key_unless_empty(&json, "hint", problem->hint);
	if (problem->errors_length > 0) {
		jsonw_key(&json, "errors");
		jsonw_raw(&json, problem->errors, problem->errors_length);
	}
	jsonw_object_close(&json);
	buf_add_char(buf, '\n');
}

static void key_time(struct jsonw *json, const char *key, uint64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	char text[64];

	if (gmtime_r(&seconds, &utc) == NULL) {
		jsonw_key(json, key);
		jsonw_null(json);
		return;
	}
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ",
		       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
		       utc.tm_sec, (unsigned)(wall_ms % 1000));
	jsonw_key_str(json, key, text);
}

static void key_ms(struct jsonw *json, const char *key, uint64_t us)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%" PRIu64 ".%03u", us / 1000,
			      (unsigned)(us % 1000));

	jsonw_key(json, key);
	jsonw_raw(json, text, (size_t)length);
}

/* Signal names as in signal(7); libc's own table would be fine but for its real-time range. */
static void key_signal(struct jsonw *json, const char *key, uint8_t number)
{
	const char *abbreviation = number > 0 ? sigabbrev_np(number) : NULL;
	char text[24];

	jsonw_key(json, key);
	if (number == 0) {
		jsonw_null(json);
		return;
	}
	if (abbreviation != NULL)
		(void)snprintf(text, sizeof(text), "SIG%s", abbreviation);
	else
		(void)snprintf(text, sizeof(text), "SIG%u", number);
	jsonw_str(json, text);
}

static void key_layers(struct jsonw *json, uint32_t layers, uint32_t landlock_abi,
		       uint8_t cgroup_version)
{
	jsonw_key(json, "isolation");
	jsonw_object_open(json);
	jsonw_key_str(json, "level", level_name(level_of_layers(layers)));
	jsonw_key(json, "layers");
	jsonw_array_open(json);
	for (unsigned i = 0; i < LAYER_COUNT; i++)
		if ((layers & 1u << i) != 0)
			jsonw_str(json, layer_name(i));
	jsonw_array_close(json);
	jsonw_key(json, "not_promised");
	jsonw_array_open(json);
	for (unsigned i = 0; layers != 0 && gap_name(layers, i) != NULL; i++)
		jsonw_str(json, gap_name(layers, i));
	jsonw_array_close(json);
	jsonw_key_u64(json, "landlock_abi", landlock_abi);
	jsonw_key(json, "cgroup_version");
	if (cgroup_version > 0)
		jsonw_u64(json, cgroup_version);
	else
		jsonw_null(json);
	jsonw_object_close(json);
}

void document_execution_head(struct buf *buf, const struct answer_execution *answer,
			     bool has_members)
{
	struct jsonw json;

	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "id", answer->execution_id);
	jsonw_key_str(&json, "status", status_name(answer->status));
	jsonw_key_str(&json, "runtime", answer->runtime);
	key_time(&json, "created_at", answer->created_ms);
	jsonw_key(&json, "exit_code");
	if (answer->exit_code < 0)
		jsonw_null(&json);
	else
		jsonw_i64(&json, answer->exit_code);
	key_signal(&json, "signal", answer->signal);
	if (has_members)
		buf_add_char(buf, ',');
}

static void key_usage(struct jsonw *json, const struct answer_execution *answer)
{
	jsonw_key(json, "usage");
	jsonw_object_open(json);
	key_ms(json, "wall_ms", answer->wall_us);
	key_ms(json, "cpu_ms", answer->cpu_us);
	jsonw_key_u64(json, "memory_peak_bytes", answer->memory_peak_bytes);
	jsonw_key(json, "processes_peak");
	if (answer->processes_peak > 0)
		jsonw_u64(json, answer->processes_peak);
	else
		jsonw_null(json);
	jsonw_object_close(json);
}

static void key_timings(struct jsonw *json, const struct answer_execution *answer)
{
	jsonw_key(json, "timings_us");
	jsonw_object_open(json);
	jsonw_key_u64(json, "receive", answer->receive_us);
	jsonw_key_u64(json, "validate", answer->validate_us);
	jsonw_key_u64(json, "queue", answer->queue_us);
	jsonw_key_u64(json, "start", answer->start_us);
	jsonw_key_u64(json, "run", answer->run_us);
	jsonw_key_u64(json, "collect", answer->collect_us);
	jsonw_key_u64(json, "canonicalize", answer->canonicalize_us);
	jsonw_key_u64(json, "total", answer->total_us);
	jsonw_object_close(json);
}

void document_execution_tail(struct buf *buf, const struct answer_execution *answer)
{
	static const char digits[] = "0123456789abcdef";
	char hash[2 * sizeof(answer->record_hash) + 1];
	struct jsonw json;

	for (size_t i = 0; i < sizeof(answer->record_hash); i++) {
		hash[2 * i] = digits[answer->record_hash[i] >> 4];
		hash[2 * i + 1] = digits[answer->record_hash[i] & 15];
	}
	hash[sizeof(hash) - 1] = '\0';
	/* The object was opened by the head; this writer is told so. */
	jsonw_init(&json, buf);
	json.depth = 1;
	json.has_member[1] = true;
	key_usage(&json, answer);
	key_timings(&json, answer);
	key_layers(&json, answer->layers, answer->landlock_abi, answer->cgroup_version);
	jsonw_key(&json, "record");
	jsonw_object_open(&json);
	jsonw_key_u64(&json, "index", answer->record_index);
	jsonw_key_str(&json, "hash", hash);
	jsonw_object_close(&json);
	jsonw_key_str(&json, "request_id", answer->request_id);
	jsonw_object_close(&json);
	buf_add_char(buf, '\n');
}

void document_validation(struct buf *buf, const char *members, size_t length,
			 const char *request_id)
{
	struct jsonw json;

	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	buf_add(buf, members, length);
	json.has_member[1] = true;
	jsonw_key_str(&json, "request_id", request_id);
	jsonw_object_close(&json);
	buf_add_char(buf, '\n');
}

/* "numpy 1.24.2,json" -> ["numpy 1.24.2","json"] */
static void key_modules(struct jsonw *json, const char *modules)
{
	jsonw_key(json, "modules");
	jsonw_array_open(json);
	while (*modules != '\0') {
		size_t length = strcspn(modules, ",");

		if (length > 0)
			jsonw_bytes(json, modules, length);
		modules += length;
		if (*modules == ',')
			modules++;
	}
	jsonw_array_close(json);
}

struct limit_row {
	const char *name;
	uint64_t min, standard, max;
	size_t of_runtime; /* in struct tell_runtime; NO_DEFAULT: a runtime has none */
};

#define NO_DEFAULT SIZE_MAX

#define LIMIT_ROW(name, NAME, of_runtime) \
	{#name, LIMIT_##NAME##_MIN, LIMIT_##NAME##_DEFAULT, LIMIT_##NAME##_MAX, of_runtime},
#define RUNTIME_LIMIT_ROW(name, NAME) LIMIT_ROW(name, NAME, offsetof(struct tell_runtime, name))

static const struct limit_row limit_rows[] = {RUNTIME_LIMIT_LIST(RUNTIME_LIMIT_ROW) LIMIT_ROW(
	workspace_bytes, WORKSPACE_BYTES, NO_DEFAULT)};

/* What a request that leaves them out gets; its tenant's ceilings may be lower. */
static void key_limits(struct jsonw *json, const struct tell_runtime *runtime)
{
	jsonw_key(json, "limits");
	jsonw_object_open(json);
	for (size_t i = 0; i < ARRAY_COUNT(limit_rows); i++) {
		uint64_t value = 0;

		if (limit_rows[i].of_runtime != NO_DEFAULT)
			memcpy(&value, (const char *)runtime + limit_rows[i].of_runtime,
			       sizeof(value));
		jsonw_key_u64(json, limit_rows[i].name,
			      value > 0 ? value : limit_rows[i].standard);
	}
	jsonw_object_close(json);
}

void document_runtimes(struct buf *buf, const struct tell_runtime *const *runtimes,
		       size_t count)
{
	struct jsonw json;

	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	jsonw_key(&json, "runtimes");
	jsonw_array_open(&json);
	for (size_t i = 0; i < count; i++) {
		jsonw_object_open(&json);
		jsonw_key_str(&json, "name", runtimes[i]->name);
		jsonw_key_str(&json, "version", runtimes[i]->version);
		key_modules(&json, runtimes[i]->modules);
		key_limits(&json, runtimes[i]);
		jsonw_key_bool(&json, "available", runtimes[i]->missing[0] == '\0');
		jsonw_key(&json, "reason");
		if (runtimes[i]->missing[0] == '\0')
			jsonw_null(&json);
		else
			jsonw_str(&json, runtimes[i]->missing);
		jsonw_object_close(&json);
	}
	jsonw_array_close(&json);
	jsonw_object_close(&json);
	buf_add_char(buf, '\n');
}

void document_capabilities(struct buf *buf, const struct tell_capabilities *capabilities)
{
	struct jsonw json;

	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "version", CASEMATE_VERSION);
	key_layers(&json, capabilities->layers, capabilities->landlock_abi,
		   capabilities->cgroup_version);
	jsonw_key(&json, "limits");
	jsonw_object_open(&json);
	for (size_t i = 0; i < ARRAY_COUNT(limit_rows); i++) {
		jsonw_key(&json, limit_rows[i].name);
		jsonw_object_open(&json);
		jsonw_key_u64(&json, "minimum", limit_rows[i].min);
		jsonw_key_u64(&json, "default", limit_rows[i].standard);
		jsonw_key_u64(&json, "maximum", limit_rows[i].max);
		jsonw_object_close(&json);
	}
	jsonw_object_close(&json);
	jsonw_object_close(&json);
	buf_add_char(buf, '\n');
}

void document_health(struct buf *buf, const char *status)
{
	struct jsonw json;

	jsonw_init(&json, buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "status", status);
	jsonw_key(&json, "reason");
	jsonw_null(&json);
	jsonw_object_close(&json);
	buf_add_char(buf, '\n');
}
