/*
 * base/loop.h - the event loop of every process: epoll(7) for descriptors, a sorted list for
 * timers. One thread; callbacks never block.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;

/* Embedded in its owner, who keeps it alive until loop_unwatch(). */
struct watch {
	int fd;		 /* borrowed; -1 while not watched */
	uint32_t events; /* EPOLLIN, EPOLLOUT, ... as last set */
	void (*ready)(struct loop *loop, struct watch *watch, uint32_t events);
	void *owner;
};

/* Embedded in its owner, who keeps it alive until it fires or loop_timer_stop(). */
struct timer {
	struct timer *next;
	struct timer *previous;
	uint64_t due_us; /* monotonic */
	bool is_armed;
	void (*fire)(struct loop *loop, struct timer *timer);
	void *owner;
};

#define LOOP_EVENTS_MAX 64 /* descriptors served per round; the rest wait one round */

struct loop {
	int epoll_fd;
	struct timer *first;
	struct timer *last;
	struct watch *ready[LOOP_EVENTS_MAX]; /* of this round; unwatched ones become NULL */
	int ready_count;
	bool is_stopped;
	void (*after_round)(struct loop *loop); /* runs once per round, e.g. a group commit */
	void *owner;
};

nodiscard int loop_init(struct loop *loop, struct err *err);
void loop_done(struct loop *loop);

/* Starts watching `fd`. `watch->ready` and `watch->owner` are set by the caller before. */
nodiscard int loop_watch(struct loop *loop, struct watch *watch, int fd, uint32_t events,
			 struct err *err);

/* Changes the events waited for; no system call when they are the same. */
nodiscard int loop_watch_events(struct loop *loop, struct watch *watch, uint32_t events,
				struct err *err);

/* Stops watching; legal when not watched. Call before the descriptor is closed. */
void loop_unwatch(struct loop *loop, struct watch *watch);

/* (Re)arms a timer `delay_us` from now. `timer->fire` and `timer->owner` are set before. */
void loop_timer_start(struct loop *loop, struct timer *timer, uint64_t delay_us);
void loop_timer_stop(struct loop *loop, struct timer *timer);

/* Serves events until loop_stop(). Returns 0, or a negative errno if epoll itself fails. */
nodiscard int loop_run(struct loop *loop, struct err *err);
void loop_stop(struct loop *loop);

#endif
