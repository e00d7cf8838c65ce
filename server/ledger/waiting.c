#include "server/ledger/waiting.h"

#include "server/ledger/ledger.h"

void waiting_add(struct execution *e)
{
	struct waiting *waiting = &e->ledger->waiting;

	e->is_waiting = true;
	e->next_waiting = NULL;
	e->previous_waiting = waiting->last;
	if (waiting->last != NULL)
		waiting->last->next_waiting = e;
	else
		waiting->first = e;
	waiting->last = e;
}

void waiting_remove(struct execution *e)
{
	struct waiting *waiting = &e->ledger->waiting;

	if (!e->is_waiting)
		return;
	e->is_waiting = false;
	if (e->previous_waiting != NULL)
		e->previous_waiting->next_waiting = e->next_waiting;
	else
		waiting->first = e->next_waiting;
	if (e->next_waiting != NULL)
		e->next_waiting->previous_waiting = e->previous_waiting;
	else
		waiting->last = e->previous_waiting;
}

struct execution *waiting_next(const struct waiting *waiting)
{
	struct execution *next = waiting->first;

	for (struct execution *e = next; e != NULL; e = e->next_waiting)
		if (e->tenant->turn < next->tenant->turn)
			next = e;
	return next;
}
