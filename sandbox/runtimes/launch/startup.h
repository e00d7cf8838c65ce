/*
 * sandbox/runtimes/launch/startup.h - a shell that is started before its job comes and waits in
 * opening its start-up file, the one that a variable of its environment names: for bash,
 * BASH_ENV. Here that is a named pipe. When the job comes the shell reads from it a few
 * commands of ours, and then goes on to the script as it always does. So to the script
 * everything is as if the shell had been started for it: its name, its lines, its errors are
 * the shell's own work.
 *
 * Arguments become the shell's by `set`. Variables do not: some of them the shell heeds at its
 * start only. For a job that has any, the shell starts itself anew, with them.
 */
#ifndef SANDBOX_RUNTIMES_LAUNCH_STARTUP_H
#define SANDBOX_RUNTIMES_LAUNCH_STARTUP_H

#include "sandbox/runtimes/launch/words.h"
#include "sandbox/zygote/ops.h"

struct startup {
	const char *variable; /* names the file */
	const char *path;     /* of the file, in a folder that is the worker's alone */
};

/* Behind the wall: starts `argv`, the shell and its script, which need not be there yet, and
 * waits until the shell waits. */
nodiscard int startup_start(const struct startup *startup, char *const *argv,
			    const struct words *words, struct err *err);

/* Lets it go on to the script, and waits for its end. `argv` is now with the job's arguments,
 * the last of `words`; `has_variables`: those of the job are among `words`. */
nodiscard int startup_run(const struct startup *startup, char *const *argv,
			  const struct words *words, bool has_variables, struct job_end *ret,
			  struct err *err);

#endif
