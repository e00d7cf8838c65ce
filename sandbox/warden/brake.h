/*
 * sandbox/warden/brake.h - a crowd of processes is halted while the making of a worker waits
 * for it.
 *
 * All workers are forks of one interpreter, so the kernel keeps the reverse maps of their
 * memory under common locks, which every fork and every exit takes. After a few milliseconds
 * the lock goes to whoever has waited longest. If that is one of 64 processes that share a
 * small part of a processor, it may be a second until he runs, and nobody else can fork
 * meanwhile: beside two fork bombs one execution in a hundred waited for seconds. Halted
 * processes leave the processors to those that are in the kernel, who do what they came for and
 * halt as well.
 *
 * Only jobs of many processes are halted, only while others wait, and never more than half
 * of the time. Needs the freezer (version 1) or cgroup.freeze (version 2).
 */
#ifndef SANDBOX_WARDEN_BRAKE_H
#define SANDBOX_WARDEN_BRAKE_H

#include "sandbox/warden/slot.h"

/* So many processes and threads that one of them may wait long for a processor. */
bool brake_is_crowd(const struct slot *slot);

/* The slot's job is such a crowd: from now on it is looked at. */
void brake_watch(struct slot *slot);

/* The job goes on, so that it can be killed. Legal at any time. */
void brake_release(struct slot *slot);

#endif
