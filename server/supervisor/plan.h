/*
 * server/supervisor/plan.h - the "launch" of a runtime.json as the records that
 * casemate-launch reads (SETUP_RUNTIME's `plan`).
 */
#ifndef SERVER_SUPERVISOR_PLAN_H
#define SERVER_SUPERVISOR_PLAN_H

#include <jansson.h>

#include "schema/wire/setup.h"

/* Fills `start` and `plan`. `launch` NULL: the program runs jobs itself. A word "{file:NAME}"
 * becomes the text of that file in the runtime's folder. */
nodiscard int plan_fill(struct setup_runtime *ret, int folder_fd, const json_t *launch,
			struct err *err);

#endif
