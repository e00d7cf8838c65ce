/*
 * tests/bench/chain.c - what waiting for a processor costs on this machine, without the
 * service.
 *
 *   chain COUNT PAUSE_US
 *
 * Ten bare processes in a row, outside any wall, each hand a message on after a tenth of a
 * millisecond of work: about the wake-ups and the processor time of one print(1). COUNT
 * messages go through, one after the other, PAUSE_US apart. Prints one JSON object,
 * microseconds.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/sort_us.h"

#define HOPS	10
#define WORK_US 100

static _Noreturn void hand_on(int from, int to)
{
	char byte;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(from, &byte, 1) == 1) {
		uint64_t end = clock_mono_us() + WORK_US;

		while (clock_mono_us() < end)
			;
		if (write(to, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

/* The descriptor that the first reads from; *ret_end is what the last writes to. */
static int make_chain(int *ret_end)
{
	int first = -1;
	int pair[2];
	int from = -1;

	for (int i = 0; i <= HOPS; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) {
			perror("chain: socketpair");
			exit(1);
		}
		if (i == 0)
			first = pair[0];
		else if (fork() == 0)
			hand_on(from, pair[0]);
		from = pair[1];
	}
	*ret_end = from;
	return first;
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long pause_us = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	uint64_t *took = calloc(count + 1, sizeof(*took));
	char byte = 0;
	int start, end;

	if (count == 0 || took == NULL) {
		(void)fprintf(stderr, "chain: COUNT PAUSE_US\n");
		return 2;
	}
	start = make_chain(&end);
	for (unsigned long i = 0; i < count; i++) {
		uint64_t sent_us;

		(void)usleep((useconds_t)pause_us);
		sent_us = clock_mono_us();
		if (write(start, &byte, 1) != 1 || read(end, &byte, 1) != 1) {
			perror("chain");
			return 1;
		}
		took[i] = clock_mono_us() - sent_us;
	}
	sort_us(took, count);
	(void)printf("{\"p50_us\": %lu, \"p99_us\": %lu}\n", took[count / 2],
		     took[count * 99 / 100]);
	return 0;
}
