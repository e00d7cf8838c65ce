/*
 * sandbox/zygote/zygote.h - a warm program that forks workers on demand. Started by the warden
 * inside the runtime's read-only root and the service's user namespace, with the channel to the
 * warden as descriptor 3. It reads only the warden's messages; no byte of a job ever reaches
 * it.
 */
#ifndef SANDBOX_ZYGOTE_ZYGOTE_H
#define SANDBOX_ZYGOTE_ZYGOTE_H

#include "sandbox/zygote/ops.h"

/* The whole of a zygote program casemate-<name>: serves the warden until it hangs up or
 * something breaks, and returns the exit status. */
int zygote_main(int argc, char **argv, const char *name, const struct zygote_ops *ops);

#endif
