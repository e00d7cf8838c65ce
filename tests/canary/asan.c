/*
 * A leak on purpose: the run that finds nothing wrong here would find nothing anywhere
 * (Criterion exits 0 after a leak unless the sanitizer aborts). Never part of a suite.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(canary, .timeout = 30);

Test(canary, a_leak_fails_the_run)
{
	void *volatile lost = malloc(48);

	cr_assert(lost != NULL);
	lost = NULL;
}
