#include "base/loop.h"

#include <sys/epoll.h>

#include "base/clock.h"

int loop_init(struct loop *loop, struct err *err)
{
	*loop = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	if (loop->epoll_fd < 0)
		return err_errno(err, errno, "epoll_create1");
	return 0;
}

void loop_done(struct loop *loop)
{
	fd_drop(&loop->epoll_fd);
}

int loop_watch(struct loop *loop, struct watch *watch, int fd, uint32_t events, struct err *err)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return err_errno(err, errno, "epoll_ctl add fd %d", fd);
	watch->fd = fd;
	watch->events = events;
	return 0;
}

int loop_watch_events(struct loop *loop, struct watch *watch, uint32_t events, struct err *err)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (watch->events == events)
		return 0;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) != 0)
		return err_errno(err, errno, "epoll_ctl mod fd %d", watch->fd);
	watch->events = events;
	return 0;
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
	if (watch->fd < 0)
		return;
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
	/* An event of this round may already hold the pointer; its owner may be freed next. */
	for (int i = 0; i < loop->ready_count; i++)
		if (loop->ready[i] == watch)
			loop->ready[i] = NULL;
}

static void timer_unlink(struct loop *loop, struct timer *timer)
{
	if (timer->previous != NULL)
		timer->previous->next = timer->next;
	else
		loop->first = timer->next;
	if (timer->next != NULL)
		timer->next->previous = timer->previous;
	else
		loop->last = timer->previous;
	timer->next = NULL;
	timer->previous = NULL;
	timer->is_armed = false;
}

void loop_timer_stop(struct loop *loop, struct timer *timer)
{
	if (timer->is_armed)
		timer_unlink(loop, timer);
}

void loop_timer_start(struct loop *loop, struct timer *timer, uint64_t delay_us)
{
	struct timer *before;

	loop_timer_stop(loop, timer);
	timer->due_us = clock_mono_us() + delay_us;
	/* Most timers share one delay, so a new one belongs at or near the end. */
	before = loop->last;
	while (before != NULL && before->due_us > timer->due_us)
		before = before->previous;
	timer->previous = before;
	timer->next = before != NULL ? before->next : loop->first;
	if (timer->next != NULL)
		timer->next->previous = timer;
	else
		loop->last = timer;
	if (before != NULL)
		before->next = timer;
	else
		loop->first = timer;
	timer->is_armed = true;
}

/* Milliseconds to sleep, rounded up so that a timer is never found early; -1 without one. */
static int loop_timeout_ms(const struct loop *loop)
{
	uint64_t now;
	uint64_t wait_ms;

	if (loop->first == NULL)
		return -1;
	now = clock_mono_us();
	if (loop->first->due_us <= now)
		return 0;
	wait_ms = (loop->first->due_us - now + 999) / 1000;
	return wait_ms > 3600000 ? 3600000 : (int)wait_ms;
}

static void loop_fire_due(struct loop *loop)
{
	uint64_t now = clock_mono_us();

	while (loop->first != NULL && loop->first->due_us <= now) {
		struct timer *timer = loop->first;

		timer_unlink(loop, timer);
		timer->fire(loop, timer);
	}
}

static void loop_serve_ready(struct loop *loop, const struct epoll_event *events, int count)
{
	loop->ready_count = count;
	for (int i = 0; i < count; i++)
		loop->ready[i] = events[i].data.ptr;
	for (int i = 0; i < count; i++) {
		struct watch *watch = loop->ready[i];

		if (watch != NULL)
			watch->ready(loop, watch, events[i].events);
	}
	loop->ready_count = 0;
}

int loop_run(struct loop *loop, struct err *err)
{
	struct epoll_event events[LOOP_EVENTS_MAX];

	while (!loop->is_stopped) {
		int count = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS_MAX,
				       loop_timeout_ms(loop));

		if (count < 0 && errno != EINTR)
			return err_errno(err, errno, "epoll_wait");
		loop_serve_ready(loop, events, count < 0 ? 0 : count);
		loop_fire_due(loop);
		if (loop->after_round != NULL)
			loop->after_round(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}
