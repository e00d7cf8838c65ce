#include "server/gate/deadline.h"

#include <stddef.h>

#include "base/clock.h"

static void queue_fire(struct loop *loop, struct timer *timer)
{
	struct deadlines *deadlines = timer->owner;
	struct deadline_queue *queue =
		(struct deadline_queue *)((char *)timer -
					  offsetof(struct deadline_queue, timer));
	uint64_t now = clock_mono_us();

	while (queue->first != NULL && queue->first->due_us <= now) {
		struct deadline *deadline = queue->first;

		deadline_stop(deadlines, deadline);
		deadlines->passed(deadlines->owner, deadline);
	}
	if (queue->first != NULL)
		loop_timer_start(loop, timer, queue->first->due_us - now);
}

void deadlines_init(struct deadlines *deadlines, struct loop *loop)
{
	deadlines->loop = loop;
	for (int kind = 0; kind < DEADLINE_KINDS; kind++)
		deadlines->queues[kind].timer =
			(struct timer){.fire = queue_fire, .owner = deadlines};
}

void deadlines_set(struct deadlines *deadlines, enum deadline_kind kind, uint64_t delay_ms)
{
	deadlines->queues[kind].delay_us = delay_ms * 1000;
}

void deadline_start(struct deadlines *deadlines, struct deadline *deadline,
		    enum deadline_kind kind)
{
	struct deadline_queue *queue = &deadlines->queues[kind];
	struct deadline *before;

	deadline_stop(deadlines, deadline);
	deadline->kind = kind;
	deadline->due_us = clock_mono_us() + queue->delay_us;
	/* The end of the queue is the place, but for the first ones after a shorter delay was
	 * configured. */
	before = queue->last;
	while (before != NULL && before->due_us > deadline->due_us)
		before = before->previous;
	deadline->previous = before;
	deadline->next = before != NULL ? before->next : queue->first;
	if (deadline->next != NULL)
		deadline->next->previous = deadline;
	else
		queue->last = deadline;
	if (before != NULL)
		before->next = deadline;
	else
		queue->first = deadline;
	deadline->is_armed = true;
	/* A timer left over from a deadline that was stopped fires early once, and finds the
	 * next one; that is cheaper than a timer set and reset by each request. */
	if (!queue->timer.is_armed || queue->timer.due_us > deadline->due_us)
		loop_timer_start(deadlines->loop, &queue->timer, queue->delay_us);
}

void deadline_stop(struct deadlines *deadlines, struct deadline *deadline)
{
	struct deadline_queue *queue = &deadlines->queues[deadline->kind];

	if (!deadline->is_armed)
		return;
	if (deadline->previous != NULL)
		deadline->previous->next = deadline->next;
	else
		queue->first = deadline->next;
	if (deadline->next != NULL)
		deadline->next->previous = deadline->previous;
	else
		queue->last = deadline->previous;
	deadline->next = NULL;
	deadline->previous = NULL;
	deadline->is_armed = false;
}
