/* tests/bench/sort_us.h - puts measured times in order, for a median and percentiles. */
#ifndef TESTS_BENCH_SORT_US_H
#define TESTS_BENCH_SORT_US_H

#include <stdint.h>
#include <stdlib.h>

static inline int sort_us_compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static inline void sort_us(uint64_t *us, size_t count)
{
	qsort(us, count, sizeof(*us), sort_us_compare);
}

#endif
