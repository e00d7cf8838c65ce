/*
 * Undefined behaviour on purpose: the run that finds nothing wrong here would find nothing
 * anywhere. Never part of a suite.
 */
#include <criterion/criterion.h>
#include <limits.h>

TestSuite(canary, .timeout = 30);

Test(canary, an_overflow_fails_the_run)
{
	volatile int most = INT_MAX;

	most = most + 1;
	cr_assert(most != 0);
}
