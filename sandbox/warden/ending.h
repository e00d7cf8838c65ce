/*
 * sandbox/warden/ending.h - the end of a worker, its cell and, if it had one, its job.
 */
#ifndef SANDBOX_WARDEN_ENDING_H
#define SANDBOX_WARDEN_ENDING_H

#include "sandbox/warden/slot.h"

/* Ends a slot that has no job; it becomes EMPTY when the kernel says that all is gone. */
void ending_begin(struct slot *slot);

/* slot->step_timer fires while ENDING. */
void ending_tick(struct slot *slot);

/* From here on the worker's channel is heard: its one report. */
void ending_listen(struct slot *slot);

/* Watches of the worker's and of the init's pidfd. */
void ending_worker_exited(struct loop *loop, struct watch *watch, uint32_t events);
void ending_init_exited(struct loop *loop, struct watch *watch, uint32_t events);

/* Without a cell: what the worker left behind is gone too. */
void ending_look_again(struct slot *slot);

/* Reaps children that no slot knows: workers whose zygote died before it could name them. */
void ending_reap_strangers(struct warden *warden);

#endif
