#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/gate/deadline.h"

TestSuite(deadline, .timeout = 10);

static struct deadline rows[4];
static int order[4];
static int passed_count;

static void passed(void *owner, struct deadline *deadline)
{
	struct loop *loop = owner;

	order[passed_count++] = (int)(deadline - rows);
	if (passed_count == 3)
		loop_stop(loop);
}

Test(deadline, they_pass_in_order_and_stopped_ones_never)
{
	struct loop loop;
	struct deadlines deadlines = {.passed = passed};

	cr_assert(eq(int, loop_init(&loop, NULL), 0));
	deadlines.owner = &loop;
	deadlines_init(&deadlines, &loop);
	deadlines_set(&deadlines, DEADLINE_HEAD, 20);
	deadlines_set(&deadlines, DEADLINE_BODY, 5);
	deadline_start(&deadlines, &rows[0], DEADLINE_HEAD);
	deadline_start(&deadlines, &rows[1], DEADLINE_HEAD);
	deadline_start(&deadlines, &rows[2], DEADLINE_HEAD);
	deadline_start(&deadlines, &rows[3], DEADLINE_BODY);
	deadline_stop(&deadlines, &rows[1]);
	deadline_stop(&deadlines, &rows[1]);

	cr_assert(eq(int, loop_run(&loop, NULL), 0));

	cr_assert(eq(int, order[0], 3));
	cr_assert(eq(int, order[1], 0));
	cr_assert(eq(int, order[2], 2));
	loop_done(&loop);
}

Test(deadline, a_shorter_delay_overtakes_longer_ones)
{
	struct loop loop;
	struct deadlines deadlines = {.passed = passed};

	cr_assert(eq(int, loop_init(&loop, NULL), 0));
	deadlines.owner = &loop;
	deadlines_init(&deadlines, &loop);
	deadlines_set(&deadlines, DEADLINE_IDLE, 40);
	deadline_start(&deadlines, &rows[0], DEADLINE_IDLE);
	deadline_start(&deadlines, &rows[1], DEADLINE_IDLE);
	deadlines_set(&deadlines, DEADLINE_IDLE, 5);
	deadline_start(&deadlines, &rows[2], DEADLINE_IDLE);

	cr_assert(eq(int, loop_run(&loop, NULL), 0));

	cr_assert(eq(int, order[0], 2));
	cr_assert(eq(int, order[1], 0));
	loop_done(&loop);
}
