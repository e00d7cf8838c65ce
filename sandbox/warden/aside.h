/*
 * sandbox/warden/aside.h - a thread beside the loop, for work that a job can make long.
 *
 * To read a process's memory the kernel takes a lock that the process can hold itself: thirty
 * threads that change the rights of sixty thousand areas hold it for seconds. To remove or
 * count thousands of folders takes as long on some disks. So each slot has a thread for such
 * work, which only the slot's own job can hold up.
 */
#ifndef SANDBOX_WARDEN_ASIDE_H
#define SANDBOX_WARDEN_ASIDE_H

#include <stdbool.h>

#include "base/loop.h"

struct aside;

/* Starts the thread, which lives as long as the process. `number` is for its name. */
nodiscard int aside_new(struct loop *loop, unsigned number, struct aside **ret,
			struct err *err);

/* True: the last work is not done yet. What it uses must stay as it is. */
bool aside_is_busy(const struct aside *aside);

/* The thread calls `work`, and then the loop calls `done`. Legal only when not busy. */
void aside_begin(struct aside *aside, void (*work)(void *context), void (*done)(void *context),
		 void *context);

#endif
