/*
 * sandbox/warden/boost.h - the first moments of a job come before whatever else wants a
 * processor.
 *
 * A short job beside busy ones has then been answered before it waits for anybody. A ready
 * worker is raised to SCHED_DEADLINE (sched(7), Linux 3.14) while a job gives way, with a
 * runtime that the kernel itself enforces, and becomes an ordinary process again as soon as its
 * job has run for that long, by the clock. What it forks is ordinary from the beginning
 * (SCHED_FLAG_RESET_ON_FORK), so a job that asks for more gets no more of it.
 *
 * It takes CAP_SYS_NICE on the host, which the warden must not keep. A process apart, the
 * warden's "booster", keeps that and nothing else, and touches only processes of the sandbox's
 * uids. Where it is refused (an ordinary user, a container without the capability, a cpuset
 * that is not the whole machine), short jobs beside busy ones are slower and nothing else.
 */
#ifndef SANDBOX_WARDEN_BOOST_H
#define SANDBOX_WARDEN_BOOST_H

#include <stdint.h>

#include "base/err.h"
#include "sandbox/warden/slot.h"

/* Forks the booster with the rights of this moment. *ret_fd: orders to it, owned by the caller;
 * closing it ends the booster. -1 where it may not boost, which is logged and no error.
 * Only processes whose uid, in our user namespace, is one of uid_count from uid_first on. */
nodiscard int boost_open(uint32_t uid_first, uint32_t uid_count, int *ret_fd, struct err *err);

/* The slot's worker is ready. Nothing, unless a job gives way already (ageing.h): a raised
 * worker is worth something beside busy jobs only, and costs a sixteenth of a short one. */
void boost_give(struct slot *slot);

/* A job begins to give way: all ready workers are raised. */
void boost_give_all(struct warden *warden);

/* The slot's job begins, or its worker is killed: the end of a boost is on the clock. Of the
 * killed too, because one that has used up its runtime would wait for the next period to die.
 */
void boost_begin(struct slot *slot);

#endif
