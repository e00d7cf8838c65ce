/*
 * tests/fuzz/fuzz_wire.c - every decoder of every boundary on arbitrary bytes.
 *
 * The first byte picks the message. Whatever decodes must encode to the very bytes it came
 * from: then no two readers can see different messages in the same body.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/chan.h"
#include "schema/events.h"
#include "schema/wire/front_gate.h"
#include "schema/wire/gate_ledger.h"
#include "schema/wire/ledger_validator.h"
#include "schema/wire/ledger_warden.h"
#include "schema/wire/setup.h"
#include "schema/wire/warden_worker.h"

#define MESSAGES(X)               \
	X(setup_hello)            \
	X(setup_peer)             \
	X(setup_commit)           \
	X(setup_drain)            \
	X(setup_front_config)     \
	X(setup_front_keys)       \
	X(setup_gate_config)      \
	X(setup_ledger_config)    \
	X(setup_tenant)           \
	X(setup_principal)        \
	X(setup_validator_config) \
	X(setup_warden_config)    \
	X(setup_runtime)          \
	X(setup_ready)            \
	X(setup_failed)           \
	X(setup_drained)          \
	X(setup_peer_lost)        \
	X(cell_setup)             \
	X(cell_ready)             \
	X(front_connection)       \
	X(front_refused)          \
	X(ask_execute)            \
	X(ask_execution)          \
	X(ask_view)               \
	X(ask_metrics)            \
	X(ask_cancel)             \
	X(answer_refused)         \
	X(answer_execution)       \
	X(answer_view)            \
	X(answer_metrics)         \
	X(tell_state)             \
	X(tell_runtime)           \
	X(tell_capabilities)      \
	X(check_request)          \
	X(request_good)           \
	X(request_bad)            \
	X(check_outcome)          \
	X(outcome_good)           \
	X(job_start)              \
	X(job_cancel)             \
	X(job_done)               \
	X(event)                  \
	X(job_refused)            \
	X(warden_runtime)         \
	X(warden_capabilities)    \
	X(warden_pool)            \
	X(cell_make)              \
	X(cell_made)              \
	X(step_failed)            \
	X(zygote_setup)           \
	X(zygote_ready)           \
	X(zygote_fork)            \
	X(zygote_forked)          \
	X(worker_ready)           \
	X(worker_job)             \
	X(check_code)             \
	X(code_good)              \
	X(answer_validation)

static uint8_t again[CHAN_BODY_MAX];

#define X(type)                                                      \
	static void try_##type(const void *body, size_t length)      \
	{                                                            \
		struct type message;                                 \
		struct err err;                                      \
		struct wr wr;                                        \
                                                                     \
		if (type##_decode(body, length, &message, &err) < 0) \
			return;                                      \
		wr_init(&wr, again, sizeof(again));                  \
		type##_encode(&wr, &message);                        \
		assert(!wr.has_failed && wr.length == length &&      \
		       memcmp(again, body, length) == 0);            \
	}
MESSAGES(X)
#undef X

static void (*const decoders[])(const void *body, size_t length) = {
#define X(type) try_##type,
	MESSAGES(X)
#undef X
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact;

	if (size < 1 || size - 1 > CHAN_BODY_MAX)
		return 0;
	/* A copy of exactly this size, so that one byte too far is seen. */
	exact = malloc(size - 1 + (size == 1));
	if (exact == NULL)
		return 0;
	memcpy(exact, data + 1, size - 1);
	decoders[data[0] % ARRAY_COUNT(decoders)](exact, size - 1);
	free(exact);
	return 0;
}
