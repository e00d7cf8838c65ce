/*
 * tests/bench/floor.c - the physical floors that the service is measured against.
 *
 *   floor MODULES COUNT
 *
 * The same interpreter as the service's workers (libpython, the same modules imported,
 * collected and frozen, 4 KiB pages), without any wall, protocol or record: fork, run print(1),
 * exit, wait. Then the same with each child forked into fresh namespaces, and the same by two
 * loops at once, which is all that two cores can do. Prints one JSON object, medians in
 * microseconds.
 */
#include <Python.h>

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "tests/bench/sort_us.h"

#define ALL_NAMESPACES                                                              \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | \
	 CLONE_NEWCGROUP | CLONE_NEWTIME | CLONE_NEWNET)

static void import_modules(char *modules)
{
	char line[256];
	char *rest = NULL;

	for (char *name = strtok_r(modules, ",", &rest); name != NULL;
	     name = strtok_r(NULL, ",", &rest)) {
		(void)snprintf(line, sizeof(line),
			       "try:\n import %s\nexcept ImportError:\n pass\n", name);
		(void)PyRun_SimpleString(line);
	}
	(void)PyRun_SimpleString("import gc; gc.collect(); gc.freeze()");
}

static void child(int null)
{
	(void)dup2(null, 1);
	PyOS_AfterFork_Child();
	(void)PyRun_SimpleString("print(1)\nimport sys\nsys.stdout.flush()");
	_exit(0);
}

/* Microseconds of each round; the median is returned. */
static uint64_t loop(uint64_t flags, unsigned count, int null)
{
	uint64_t *took = calloc(count, sizeof(*took));
	uint64_t median;

	for (unsigned i = 0; i < count; i++) {
		struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
		uint64_t start = clock_mono_us();
		long pid;

		PyOS_BeforeFork();
		pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
		if (pid == 0)
			child(null);
		PyOS_AfterFork_Parent();
		if (pid < 0) {
			perror("floor: clone3");
			exit(1);
		}
		(void)waitpid((pid_t)pid, NULL, 0);
		took[i] = clock_mono_us() - start;
	}
	sort_us(took, count);
	median = took[count / 2];
	free(took);
	return median;
}

/* Executions per second of `loops` processes that each run the loop. */
static double rate(uint64_t flags, unsigned loops, unsigned count, int null)
{
	uint64_t start = clock_mono_us();

	for (unsigned i = 0; i < loops; i++) {
		PyOS_BeforeFork();
		if (fork() == 0) {
			PyOS_AfterFork_Child();
			(void)loop(flags, count, null);
			_exit(0);
		}
		PyOS_AfterFork_Parent();
	}
	while (wait(NULL) > 0)
		;
	return loops * count * 1e6 / (double)(clock_mono_us() - start);
}

int main(int argc, char **argv)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	unsigned count;
	uint64_t bare, walled;

	if (argc != 3) {
		fprintf(stderr, "usage: floor MODULES COUNT\n");
		return 100;
	}
	count = (unsigned)strtoul(argv[2], NULL, 10);
	(void)setenv("OPENBLAS_NUM_THREADS", "1", 1);
	Py_InitializeEx(0);
	import_modules(argv[1]);
	(void)loop(0, count / 4 + 1, null);
	bare = loop(0, count, null);
	walled = loop(ALL_NAMESPACES, count, null);
	printf("{\"fork_print_exit_us\":%lu,\"fork_namespaces_print_exit_us\":%lu,"
	       "\"namespaces_per_second_one_loop\":%.1f,\"namespaces_per_second_two_loops\":%."
	       "1f}\n",
	       bare, walled, rate(ALL_NAMESPACES, 1, count, null),
	       rate(ALL_NAMESPACES, 2, count, null));
	return 0;
}
