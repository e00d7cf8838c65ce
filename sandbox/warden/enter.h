/*
 * sandbox/warden/enter.h - the warden gives up its rights over the host, and proves it.
 */
#ifndef SANDBOX_WARDEN_ENTER_H
#define SANDBOX_WARDEN_ENTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct setup_warden_config;
struct warden;

/*
 * Once, before READY: opens what only the starting rights reach (programs, control groups),
 * then enters the sandbox's user namespace and keeps no right outside of it. Landlock cannot be
 * used here: it would forbid the mounts that cell makers have to make below us. What stands in
 * for it is the user namespace (as root: an unprivileged uid of our own), an empty network
 * namespace and a list of system calls that nothing below here may make.
 */
nodiscard int enter_sandbox(struct warden *warden, struct err *err);

/*
 * Its second half at a level without cells (enter_host.c): nobody below mounts anything, so
 * Landlock can be used. As root it becomes the sandbox's first uid and keeps the few
 * capabilities that give the workers their users and end them.
 */
nodiscard int enter_host(struct warden *warden, pid_t supervisor, struct err *err);

/* The list of calls that nothing below may make; on the host no sockets either. */
nodiscard int enter_deny_for_good(bool is_on_host, struct err *err);

/* What of our own confinement holds. Jobs inherit it, so a probe that wants a layer of the
 * worker gone must not be held up by ours; setup refuses layers_disabled in any but a test
 * build. */
uint32_t enter_own_layers(const struct setup_warden_config *config);

#endif
