/*
 * sandbox/layers/own_signals.h - a filter that lets a process signal only itself.
 *
 * For workers that share the service's user and are in no pid namespace, on a kernel whose
 * Landlock does not keep signals in yet. The number of the process is not known when the other
 * filter is compiled, so this one is made in the worker, before it, which forbids the making.
 */
#ifndef SANDBOX_LAYERS_OWN_SIGNALS_H
#define SANDBOX_LAYERS_OWN_SIGNALS_H

#include "base/err.h"

/* kill(2) and tgkill(2) of any process but the caller fail with EPERM, for good, in the caller
 * and its children; the others that signal are not on the workers' list. Needs no_new_privs. */
nodiscard int own_signals_only(struct err *err);

#endif
