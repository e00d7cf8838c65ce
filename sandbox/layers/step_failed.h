/*
 * sandbox/layers/step_failed.h - how a program below the warden says which step of its set-up
 * failed, and why.
 */
#ifndef SANDBOX_LAYERS_STEP_FAILED_H
#define SANDBOX_LAYERS_STEP_FAILED_H

#include <stdint.h>

#include "base/err.h"

/* Sends message `type` (CELL_FAILED, ZYGOTE_FAILED or WORKER_FAILED) with the text of `why`.
 * Negative when the channel did not take it. */
nodiscard int step_failed_send(int channel, uint16_t type, uint64_t id, const struct err *why,
			       struct err *err);

#endif
