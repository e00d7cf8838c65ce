/*
 * sandbox/runtimes/launch/plan.h - what a runtime.json says about starting the runtime's
 * program, as the supervisor passes it on: records of a key, a space and a value, each ended by
 * SETUP_PLAN_RECORD_END (schema/wire/setup.h).
 *
 *   argv      one word of the command; the first is an absolute path. "{code}", "{workspace}",
 *             "{tmp}" and "{loader}", the dynamic one, in a word stand for those paths, a word
 *             "{args}" for the arguments
 *   code      name of the file that gets the code; without it the code goes to a program that
 *             is started ahead
 *   version   one word of the command whose output has the version in it
 *   env       NAME=value, of every job that does not say otherwise
 *   ahead     1: the program is started before the job comes (ahead.h)
 *   startup   NAME: so is this one, a shell whose start-up file that variable names (startup.h)
 *   compile   one word of the command that makes something to run of the code (compile.h); it
 *             runs in the folder of the code
 *   compile_wall_ms, compile_cpu_ms   what it may take
 */
#ifndef SANDBOX_RUNTIMES_LAUNCH_PLAN_H
#define SANDBOX_RUNTIMES_LAUNCH_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define PLAN_WORDS_MAX	   64
#define PLAN_VARIABLES_MAX 32

struct plan_command {
	const char *words[PLAN_WORDS_MAX + 1]; /* ends with NULL */
	size_t count;
};

struct plan {
	struct plan_command run;
	struct plan_command version;
	const char *variables[PLAN_VARIABLES_MAX];
	size_t variable_count;
	const char *code; /* NULL: no file */
	bool is_ahead;
	const char *startup;	     /* NULL: not at a start-up file */
	struct plan_command compile; /* before the run; empty: there is none */
	unsigned compile_wall_ms;
	unsigned compile_cpu_ms; /* of one process */
};

/* Takes `text` apart where it lies; the plan points into it. */
nodiscard int plan_parse(char *text, struct plan *ret, struct err *err);

#endif
