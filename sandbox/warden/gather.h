/*
 * sandbox/warden/gather.h - the files of a job, read beside the loop once all its processes are
 * dead: 48 MiB take a tenth of a second, which all other jobs would wait for.
 */
#ifndef SANDBOX_WARDEN_GATHER_H
#define SANDBOX_WARDEN_GATHER_H

#include "sandbox/warden/slot.h"

/* True: ending_look_again() is called when they have been read; until then the job and the slot
 * stay as they are. False: they have been, or there are none, or the slot's thread is busy. */
bool gather_begin(struct slot *slot, uint64_t budget_bytes);

/* Reads them in the loop. */
void gather_now(struct slot *slot, uint64_t budget_bytes);

#endif
