/*
 * sandbox/warden/ageing.h - who has had much gives way to who has had nothing yet.
 *
 * A job begins fresh. Once it has used FRESH_CPU_US it is aged: its group gets processors that
 * no fresh job wants. So a short job beside nine busy loops waits for none of them, as in a
 * multi-level feedback queue (Corbato 1962). Nobody starves by it: an aged job that got less
 * than its share of a period is fresh again for as much.
 *
 * Needs the cpu controller; without it all jobs are alike.
 */
#ifndef SANDBOX_WARDEN_AGEING_H
#define SANDBOX_WARDEN_AGEING_H

#include "sandbox/warden/slot.h"

/* The slot's job begins. */
void ageing_begin(struct slot *slot);

/* It runs and gives way. */
bool ageing_is_aged(const struct slot *slot);

/* It is over, or to be killed: its processes may hold locks that every fork and every exit of a
 * worker waits for, so they get processors at once. Legal at any time. */
void ageing_end(struct slot *slot);

#endif
