/*
 * sandbox/warden/setup.h - the channel to the supervisor: configuration, start, reload, drain.
 */
#ifndef SANDBOX_WARDEN_SETUP_H
#define SANDBOX_WARDEN_SETUP_H

#include "base/err.h"

struct warden;

/* Serves the channel at SETUP_FD. */
nodiscard int setup_attach(struct warden *warden, struct err *err);

void setup_say_ready(struct warden *warden);
void setup_say_failed(struct warden *warden, const char *why);

/* Draining and nothing runs any more: DRAINED, and the loop ends. */
void setup_check_drained(struct warden *warden);

#endif
