/*
 * sandbox/runtimes/launch/words.h - the arguments and the environment of what is started.
 */
#ifndef SANDBOX_RUNTIMES_LAUNCH_WORDS_H
#define SANDBOX_RUNTIMES_LAUNCH_WORDS_H

#include <stddef.h>

#include "base/err.h"
#include "sandbox/runtimes/launch/plan.h"
#include "schema/limits.h"

#define WORDS_VARIABLES_MAX (LIMIT_ENVS + PLAN_VARIABLES_MAX + 16)

/* Both end with NULL where they are used; the strings live as long as the process. */
struct words {
	char *arguments[LIMIT_ARGS + 1];
	size_t argument_count;
	char *variables[WORDS_VARIABLES_MAX + 1]; /* NAME=value */
	size_t variable_count;
};

nodiscard int words_add_argument(struct words *words, const char *data, size_t length,
				 struct err *err);

/* The last value of a name counts. */
nodiscard int words_add_variable(struct words *words, const char *name, size_t name_length,
				 const char *data, size_t length, struct err *err);

/* NULL: there is none. */
const char *words_variable(const struct words *words, const char *name);

/* What stands for a word's "{code}", "{workspace}", "{tmp}"; "{loader}" is known. */
struct words_paths {
	const char *code;
	const char *workspace;
	const char *tmp;
};

/* The command of a plan as execve(2) wants it; `arguments` stand where it says "{args}". */
nodiscard int words_command(const struct plan_command *command, const struct words *words,
			    const struct words_paths *paths, char ***ret_argv, struct err *err);

#endif
