#include "sandbox/runtimes/launch/startup.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/runtimes/launch/program.h"

/* Beside the channel (worker.c), out of the way of what the program opens. */
#define PIPE_FD 62

/* Replaces a shell by one with other variables, none of which it must know before. */
#define ENV_PROGRAM "/usr/bin/env"

/* There is no call that waits for a reader or the end of a child, whichever comes first.
 * Workers are made ahead of demand, so nobody waits for this. */
static int wait_for_reader(const char *path, struct err *err)
{
	for (unsigned waited_ms = 0; waited_ms < PROGRAM_START_MS; waited_ms++) {
		own_fd fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0)
			return dup3(fd, PIPE_FD, O_CLOEXEC) == PIPE_FD
				       ? 0
				       : err_errno(err, errno, "place descriptor %d", PIPE_FD);
		if (errno != ENXIO)
			return err_errno(err, errno, "open %s", path);
		if (program_has_ended(false))
			break;
		(void)poll(NULL, 0, 1);
	}
	return program_gone("or did not read its start-up file", err);
}

int startup_start(const struct startup *startup, char *const *argv, const struct words *words,
		  struct err *err)
{
	struct words first = *words;
	int status = words_add_variable(&first, startup->variable, strlen(startup->variable),
					startup->path, strlen(startup->path), err);

	if (status < 0)
		return status;
	if (mkfifo(startup->path, 0600) != 0)
		return err_errno(err, errno, "make %s", startup->path);
	status = program_start(argv, first.variables, -1, err);
	if (status == 0)
		status = wait_for_reader(startup->path, err);
	if (status == 0 && unlink(startup->path) != 0)
		status = err_errno(err, errno, "remove %s", startup->path);
	if (status == 0 && fcntl(PIPE_FD, F_SETFL, 0) != 0)
		status = err_errno(err, errno, "wait in writing");
	return status;
}

/* Between single quotes every byte stands for itself, but for the quote. */
static void put_word(FILE *commands, const char *word)
{
	(void)fputs(" '", commands);
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			(void)fputs("'\\'", commands);
		(void)fputc(*word, commands);
	}
	(void)fputc('\'', commands);
}

static void put_words(FILE *commands, char *const *words)
{
	for (; *words != NULL; words++)
		put_word(commands, *words);
}

/* The seconds count from here, and `$_` is what it is in a shell just started. */
static void put_arguments(FILE *commands, const struct startup *startup, const char *shell,
			  const struct words *words)
{
	if (words->argument_count > 0) {
		(void)fputs("set --", commands);
		put_words(commands, words->arguments);
	}
	(void)fprintf(commands, "\nunset %s\nSECONDS=0\n:", startup->variable);
	put_word(commands, shell);
	(void)fputc('\n', commands);
}

static void put_new_start(FILE *commands, char *const *argv, const struct words *words)
{
	(void)fputs("exec " ENV_PROGRAM " -i", commands);
	put_words(commands, words->variables);
	put_words(commands, argv);
	(void)fputc('\n', commands);
}

int startup_run(const struct startup *startup, char *const *argv, const struct words *words,
		bool has_variables, struct job_end *ret, struct err *err)
{
	FILE *commands = fdopen(PIPE_FD, "w");

	if (commands == NULL)
		return err_errno(err, errno, "open the pipe to the shell");
	program_shield();
	if (has_variables)
		put_new_start(commands, argv, words);
	else
		put_arguments(commands, startup, argv[0], words);
	/* One that died before it had read everything says so by its end. */
	(void)fclose(commands);
	(void)program_has_ended(true);
	program_tell_end(ret);
	return 0;
}
