/*
 * server/supervisor/rights.h - what the supervisor keeps once its sockets are bound.
 *
 * It reads no untrusted byte, but everything below inherits from it. Started as root it keeps
 * only the capabilities that starting a child again, or a reload, needs (keep.caps.def says
 * which and why); as an ordinary user it has none. no_new_privs is set in both cases: set-id
 * programs and file capabilities give nothing below here, while setuid(2) by a child that still
 * has CAP_SETUID works as before. A seccomp deny list (deny.seccomp.def) takes away what
 * neither the supervisor nor anything below it may ever do. Landlock would forbid the warden's
 * mounts.
 */
#ifndef SERVER_SUPERVISOR_RIGHTS_H
#define SERVER_SUPERVISOR_RIGHTS_H

#include <stdint.h>

#include "base/err.h"

/* All of the above; read back. A right that cannot be given up is an error. `layers_disabled`:
 * in test builds, the layers of a worker that a probe wants gone (LAYER_SECCOMP,
 * LAYER_NO_NEW_PRIVILEGES) must not be held up by ours; any other build ignores it. */
nodiscard int rights_drop(uint32_t layers_disabled, struct err *err);

#endif
