/*
 * Every message of every boundary, from the same field lists the codecs are made of: what is
 * encoded comes back, each truncation and each byte too many is refused, and so is every field
 * one step outside its range. The last test fails when a message is missing here.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <glob.h>
#include <string.h>

#include "base/chan.h"
#include "schema/events.h"
#include "schema/wire/front_gate.h"
#include "schema/wire/gate_ledger.h"
#include "schema/wire/ledger_validator.h"
#include "schema/wire/ledger_warden.h"
#include "schema/wire/setup.h"
#include "schema/wire/warden_worker.h"

TestSuite(messages, .timeout = 60);

#define MESSAGES(X)                                              \
	X(front_connection, FRONT_CONNECTION_FIELDS)             \
	X(front_close, FRONT_CLOSE_FIELDS)                       \
	X(front_refused, FRONT_REFUSED_FIELDS)                   \
	X(ask_execute, ASK_EXECUTE_FIELDS)                       \
	X(ask_execution, ASK_EXECUTION_FIELDS)                   \
	X(ask_view, ASK_VIEW_FIELDS)                             \
	X(ask_file, ASK_FILE_FIELDS)                             \
	X(answer_file, ANSWER_FILE_FIELDS)                       \
	X(ask_metrics, ASK_METRICS_FIELDS)                       \
	X(ask_cancel, ASK_CANCEL_FIELDS)                         \
	X(answer_refused, ANSWER_REFUSED_FIELDS)                 \
	X(answer_execution, ANSWER_EXECUTION_FIELDS)             \
	X(answer_view, ANSWER_VIEW_FIELDS)                       \
	X(answer_metrics, ANSWER_METRICS_FIELDS)                 \
	X(answer_validation, ANSWER_VALIDATION_FIELDS)           \
	X(tell_state, TELL_STATE_FIELDS)                         \
	X(tell_runtime, TELL_RUNTIME_FIELDS)                     \
	X(tell_capabilities, TELL_CAPABILITIES_FIELDS)           \
	X(check_request, CHECK_REQUEST_FIELDS)                   \
	X(request_good, REQUEST_GOOD_FIELDS)                     \
	X(request_bad, REQUEST_BAD_FIELDS)                       \
	X(check_code, CHECK_CODE_FIELDS)                         \
	X(code_good, CODE_GOOD_FIELDS)                           \
	X(check_outcome, CHECK_OUTCOME_FIELDS)                   \
	X(outcome_good, OUTCOME_GOOD_FIELDS)                     \
	X(outcome_file, OUTCOME_FILE_FIELDS)                     \
	X(job_start, JOB_START_FIELDS)                           \
	X(job_cancel, JOB_CANCEL_FIELDS)                         \
	X(job_done, JOB_DONE_FIELDS)                             \
	X(event, EVENT_FIELDS)                                   \
	X(job_refused, JOB_REFUSED_FIELDS)                       \
	X(warden_runtime, WARDEN_RUNTIME_FIELDS)                 \
	X(warden_capabilities, WARDEN_CAPABILITIES_FIELDS)       \
	X(warden_pool, WARDEN_POOL_FIELDS)                       \
	X(setup_hello, SETUP_HELLO_FIELDS)                       \
	X(setup_peer, SETUP_PEER_FIELDS)                         \
	X(setup_commit, SETUP_COMMIT_FIELDS)                     \
	X(setup_drain, SETUP_DRAIN_FIELDS)                       \
	X(setup_front_config, SETUP_FRONT_CONFIG_FIELDS)         \
	X(setup_front_keys, SETUP_FRONT_KEYS_FIELDS)             \
	X(setup_gate_config, SETUP_GATE_CONFIG_FIELDS)           \
	X(setup_ledger_config, SETUP_LEDGER_CONFIG_FIELDS)       \
	X(setup_tenant, SETUP_TENANT_FIELDS)                     \
	X(setup_principal, SETUP_PRINCIPAL_FIELDS)               \
	X(setup_validator_config, SETUP_VALIDATOR_CONFIG_FIELDS) \
	X(setup_warden_config, SETUP_WARDEN_CONFIG_FIELDS)       \
	X(setup_runtime, SETUP_RUNTIME_FIELDS)                   \
	X(setup_ready, SETUP_READY_FIELDS)                       \
	X(setup_failed, SETUP_FAILED_FIELDS)                     \
	X(setup_drained, SETUP_DRAINED_FIELDS)                   \
	X(setup_peer_lost, SETUP_PEER_LOST_FIELDS)               \
	X(cell_setup, CELL_SETUP_FIELDS)                         \
	X(cell_ready, CELL_READY_FIELDS)                         \
	X(cell_make, CELL_MAKE_FIELDS)                           \
	X(cell_made, CELL_MADE_FIELDS)                           \
	X(step_failed, STEP_FAILED_FIELDS)                       \
	X(zygote_setup, ZYGOTE_SETUP_FIELDS)                     \
	X(zygote_ready, ZYGOTE_READY_FIELDS)                     \
	X(zygote_fork, ZYGOTE_FORK_FIELDS)                       \
	X(zygote_forked, ZYGOTE_FORKED_FIELDS)                   \
	X(worker_ready, WORKER_READY_FIELDS)                     \
	X(worker_job, WORKER_JOB_FIELDS)

/* --- filling a message from its field list ----------------------------------------------- */

#define LOW_NUMBER(name, low, type) message->name = (type)(low);
#define LOW_U8(name, low, high)	    LOW_NUMBER(name, low, uint8_t)
#define LOW_U16(name, low, high)    LOW_NUMBER(name, low, uint16_t)
#define LOW_U32(name, low, high)    LOW_NUMBER(name, low, uint32_t)
#define LOW_U64(name, low, high)    LOW_NUMBER(name, low, uint64_t)
#define LOW_I64(name, low, high)    LOW_NUMBER(name, low, int64_t)
#define LOW_STR(name, low, high)    fill_text(message->name, low, 'a');
#define LOW_BYTES(name, low, high)  memset(message->name, 0, high);
#define LOW_U64S(name, low, high)   memset(message->name, 0, sizeof(message->name));
#define LOW(kind, name, low, high)  LOW_##kind(name, low, high)

#define HIGH_U8(name, low, high)    LOW_NUMBER(name, high, uint8_t)
#define HIGH_U16(name, low, high)   LOW_NUMBER(name, high, uint16_t)
#define HIGH_U32(name, low, high)   LOW_NUMBER(name, high, uint32_t)
#define HIGH_U64(name, low, high)   LOW_NUMBER(name, high, uint64_t)
#define HIGH_I64(name, low, high)   LOW_NUMBER(name, high, int64_t)
#define HIGH_STR(name, low, high)   fill_text(message->name, high, 'z');
#define HIGH_BYTES(name, low, high) memset(message->name, 0xFF, high);
#define HIGH_U64S(name, low, high)  memset(message->name, 0xFF, sizeof(message->name));
#define HIGH(kind, name, low, high) HIGH_##kind(name, low, high)

static void fill_text(char *text, size_t length, char c)
{
	memset(text, c, length);
	text[length] = '\0';
}

/* Calls `refused` with the message once for each value just outside a field's range. */
#define BAD_NUMBER(name, low, high, type, type_max)           \
	if (has_room((uint64_t)(high), type_max)) {           \
		fill_low(message);                            \
		message->name = (type)((uint64_t)(high) + 1); \
		refused(message, #name " above its range");   \
	}                                                     \
	if (has_room(0, (uint64_t)(low))) {                   \
		fill_low(message);                            \
		message->name = (type)((uint64_t)(low)-1);    \
		refused(message, #name " below its range");   \
	}
#define BAD_U8(name, low, high)	 BAD_NUMBER(name, low, high, uint8_t, UINT8_MAX)
#define BAD_U16(name, low, high) BAD_NUMBER(name, low, high, uint16_t, UINT16_MAX)
#define BAD_U32(name, low, high) BAD_NUMBER(name, low, high, uint32_t, UINT32_MAX)
#define BAD_U64(name, low, high) BAD_NUMBER(name, low, high, uint64_t, UINT64_MAX)
#define BAD_I64(name, low, high) BAD_NUMBER(name, low, high, int64_t, (uint64_t)INT64_MAX)
#define BAD_BYTES(name, low, high)
#define BAD_U64S(name, low, high)
#define BAD_STR(name, low, high)                                \
	if (has_room(0, (uint64_t)(low))) {                     \
		fill_low(message);                              \
		fill_text(message->name, (size_t)(low)-1, 'a'); \
		refused(message, #name " too short");           \
	}
#define BAD(kind, name, low, high) BAD_##kind(name, low, high)

/* A function, so that a constant comparison is not a warning. */
static int has_room(uint64_t value, uint64_t max)
{
	return value < max;
}

/* --- the checks of one message type, by pointers to its codec ---------------------------- */

struct codec {
	const char *name;
	size_t size;
	void (*fill_low)(void *message);
	void (*fill_high)(void *message);
	size_t (*encode)(uint8_t *body, const void *message);
	int (*decode)(const uint8_t *body, size_t length, void *ret);
	void (*bad_values)(void);
};

#define CODEC(type, FIELDS)                                                                  \
	static void type##_low(void *any)                                                    \
	{                                                                                    \
		struct type *message = any;                                                  \
		FIELDS(LOW)                                                                  \
	}                                                                                    \
	static void type##_high(void *any)                                                   \
	{                                                                                    \
		struct type *message = any;                                                  \
		FIELDS(HIGH)                                                                 \
	}                                                                                    \
	static size_t type##_to(uint8_t *body, const void *message)                          \
	{                                                                                    \
		struct wr wr;                                                                \
		wr_init(&wr, body, CHAN_BODY_MAX);                                           \
		type##_encode(&wr, message);                                                 \
		cr_assert(eq(int, wr.has_failed, 0), #type " does not fit a message");       \
		return wr.length;                                                            \
	}                                                                                    \
	static int type##_from(const uint8_t *body, size_t length, void *ret)                \
	{                                                                                    \
		return type##_decode(body, length, ret, NULL);                               \
	}                                                                                    \
	static void type##_refused(const struct type *message, const char *why)              \
	{                                                                                    \
		static uint8_t body[CHAN_BODY_MAX];                                          \
		static struct type out;                                                      \
		size_t length = type##_to(body, message);                                    \
		cr_assert(lt(int, type##_decode(body, length, &out, NULL), 0), #type ": %s", \
			  why);                                                              \
	}                                                                                    \
	static void type##_bad(void)                                                         \
	{                                                                                    \
		static struct type storage;                                                  \
		struct type *message = &storage;                                             \
		void (*fill_low)(void *) = type##_low;                                       \
		void (*refused)(const struct type *, const char *) = type##_refused;         \
		(void)fill_low;                                                              \
		(void)refused;                                                               \
		(void)message;                                                               \
		FIELDS(BAD)                                                                  \
	}

MESSAGES(CODEC)

static const struct codec codecs[] = {
#define ROW(type, FIELDS)                                         \
	{#type,	    sizeof(struct type), type##_low, type##_high, \
	 type##_to, type##_from,	 type##_bad},
	MESSAGES(ROW)};

#define STORAGE_BYTES 40960 /* larger than any message struct */

static void round_trip(const struct codec *codec, void (*fill)(void *))
{
	static uint8_t first[CHAN_BODY_MAX];
	static uint8_t second[CHAN_BODY_MAX];
	static uint64_t message[STORAGE_BYTES / 8];
	size_t length;

	cr_assert(le(sz, codec->size, STORAGE_BYTES));
	fill(message);
	length = codec->encode(first, message);
	memset(message, 0xA5, sizeof(message));
	cr_assert(eq(int, codec->decode(first, length, message), 0), "%s", codec->name);
	cr_assert(eq(sz, codec->encode(second, message), length), "%s", codec->name);
	cr_assert(eq(int, memcmp(first, second, length), 0), "%s", codec->name);
}

Test(messages, come_back_as_they_were)
{
	for (size_t i = 0; i < ARRAY_COUNT(codecs); i++) {
		round_trip(&codecs[i], codecs[i].fill_low);
		round_trip(&codecs[i], codecs[i].fill_high);
	}
}

Test(messages, cut_off_or_too_long_are_refused_and_publish_nothing)
{
	static uint8_t body[CHAN_BODY_MAX + 1];
	static uint64_t message[STORAGE_BYTES / 8];
	static uint64_t untouched[STORAGE_BYTES / 8];

	memset(untouched, 0xA5, sizeof(untouched));
	for (size_t i = 0; i < ARRAY_COUNT(codecs); i++) {
		const struct codec *codec = &codecs[i];
		size_t length;

		codec->fill_high(message);
		length = codec->encode(body, message);
		body[length] = 0;
		memset(message, 0xA5, sizeof(message));
		for (size_t cut = 0; cut < length; cut++)
			cr_assert(lt(int, codec->decode(body, cut, message), 0),
				  "%s cut to %zu", codec->name, cut);
		cr_assert(lt(int, codec->decode(body, length + 1, message), 0), "%s",
			  codec->name);
		cr_assert(eq(int, memcmp(message, untouched, sizeof(message)), 0), "%s",
			  codec->name);
	}
}

Test(messages, out_of_range_are_refused)
{
	for (size_t i = 0; i < ARRAY_COUNT(codecs); i++)
		codecs[i].bad_values();
}

/* The tests run in the top folder of the project. */
Test(messages, none_is_missing_here)
{
	glob_t headers;
	size_t declared = 0;

	if (glob("schema/wire/*.h", 0, NULL, &headers) != 0)
		cr_skip_test("not started in the top folder");
	cr_assert(eq(int, glob("schema/events.h", GLOB_APPEND, NULL, &headers), 0));
	for (size_t i = 0; i < headers.gl_pathc; i++) {
		FILE *file = fopen(headers.gl_pathv[i], "re");
		char line[512];

		cr_assert(ne(ptr, file, NULL));
		while (fgets(line, sizeof(line), file) != NULL)
			declared += strncmp(line, "WIRE_DECLARE(", 13) == 0;
		(void)fclose(file);
	}
	globfree(&headers);

	cr_assert(eq(sz, declared, ARRAY_COUNT(codecs)));
}
