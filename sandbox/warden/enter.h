/*
 * sandbox/warden/enter.h - the warden gives up its rights over the host, and proves it.
 */
#ifndef SANDBOX_WARDEN_ENTER_H
#define SANDBOX_WARDEN_ENTER_H

#include "base/err.h"

struct warden;

/*
 * Once, before READY: opens what only the starting rights reach (programs, control groups),
 * then enters the sandbox's user namespace and keeps no right outside of it. Landlock cannot be
 * used here: it would forbid the mounts that cell makers have to make below us. What stands in
 * for it is the user namespace (as root: an unprivileged uid of our own), an empty network
 * namespace and a list of system calls that nothing below here may make.
 */
nodiscard int enter_sandbox(struct warden *warden, struct err *err);

#endif
